"""The language server itself: documents come in, diagnostics go out, actions and pages on request.

A document is checked a moment after the last key, in a thread of its own, one at a time. What was found is shown only if nobody has
typed on meanwhile.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from torchlint import __version__, rulebook
from torchlint.lsp.actions import FIX_ALL, is_wanted, quick_fixes, workspace_edit
from torchlint.lsp.conversion import Converter, overlaps
from torchlint.lsp.documents import Checked, Checker, is_configuration
from torchlint.run.many import collect_rarely
from torchlint.selection import named
from torchlint.settings import FILE_NAMES, SettingsError

PAUSE = 0.05
"""Seconds without a key after which a text is checked."""


class TorchlintServer(LanguageServer):
    def __init__(self) -> None:
        # Whole texts: pygls tells rows apart where Python does not, at form feeds for example, and would put changes elsewhere.
        super().__init__("torchlint", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self._checker = Checker()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._checked: dict[str, Checked] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._complaint: str | None = None

    # -- what was found -------------------------------------------------------------------------------------------------

    def begin(self, params: types.InitializeParams) -> None:
        """Take in which folders are open, and the configuration that the client names: `{"configuration": "a/torchlint.toml"}`."""
        folders = params.workspace_folders or []
        roots = [path for each in folders if (path := _path(each.uri)) is not None]
        given = params.initialization_options
        named_file = given.get("configuration") if isinstance(given, dict) else None
        try:
            self._checker = Checker(roots, Path(named_file).expanduser() if isinstance(named_file, str) and named_file else None)
        except SettingsError as error:
            self._checker = Checker(roots)
            self._complain(error)
        collect_rarely()

    def schedule(self, uri: str, pause: float = PAUSE) -> None:
        """Check a document soon, and forget that it was to be checked before."""
        if (waiting := self._waiting.pop(uri, None)) is not None:
            waiting.cancel()
        self._waiting[uri] = asyncio.get_running_loop().create_task(self._check_soon(uri, pause))

    def schedule_all(self) -> None:
        """Something on the disk has changed that any document may depend on."""
        self._checker.forget()
        for uri in list(self.workspace.text_documents):
            self.schedule(uri, 0)

    def close(self, uri: str) -> None:
        if (waiting := self._waiting.pop(uri, None)) is not None:
            waiting.cancel()
        self._checked.pop(uri, None)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    async def _check_soon(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        document = self.workspace.get_text_document(uri)
        checked = await self._check(document)
        if document.version == checked.version and uri in self.workspace.text_documents:
            self._checked[uri] = checked
            shown = [each for _, each in self.found(document, checked)]
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, shown, checked.version))

    async def _check(self, document: TextDocument) -> Checked:
        path, text, version = _path(document.uri), document.source, document.version
        if path is None:
            return Checked(text, version, ())
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._checker.check, path, text, version)
        except SettingsError as error:
            self._complain(error)
            return Checked(text, version, ())
        self._complaint = None
        return found

    async def newest(self, document: TextDocument) -> Checked:
        """What is found in the text as it is now."""
        checked = self._checked.get(document.uri)
        if checked is None or checked.version != document.version:
            checked = self._checked[document.uri] = await self._check(document)
        return checked

    async def fixed(self, document: TextDocument) -> str:
        path = _path(document.uri)
        if path is None:
            return document.source
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._checker.fixed, path, document.source)
        except SettingsError as error:
            self._complain(error)
            return document.source

    def found(self, document: TextDocument, checked: Checked) -> list[tuple[Any, types.Diagnostic]]:
        """Each finding with what the client is told of it."""
        converter = Converter(checked.text, document.position_codec)
        capabilities = self.client_capabilities.text_document
        publishing = capabilities.publish_diagnostics if capabilities is not None else None
        related = bool(publishing is not None and publishing.related_information)
        return [(each, converter.diagnostic(each, document.uri, with_related=related)) for each in checked.findings]

    def _complain(self, error: SettingsError) -> None:
        """Say what is wrong with a configuration, once."""
        message = f"torchlint: {error}"
        if message != self._complaint:
            self._complaint = message
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, message))


def _path(uri: str) -> Path | None:
    """None for a document that no file stands for, such as one that was never saved."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None


def create() -> TorchlintServer:
    """The server with everything that it answers, not yet started."""
    server = TorchlintServer()

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.begin(params)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace is not None else None
        if watching is not None and watching.dynamic_registration:
            watchers = [types.FileSystemWatcher(f"**/{name}") for name in (*FILE_NAMES, "*.py")]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            registration = types.Registration("torchlint-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            server.client_register_capability(types.RegistrationParams([registration]))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def changed_on_disk(_: types.DidChangeWatchedFilesParams) -> None:
        server.schedule_all()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.schedule(params.text_document.uri, 0)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.schedule(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        path = _path(params.text_document.uri)
        if path is not None and (is_configuration(path) or path.suffix == ".py"):
            server.schedule_all()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.close(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix, FIX_ALL]))
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        return await _actions(server, params)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        return await _hover(server, params)

    return server


async def _actions(server: TorchlintServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    document = server.workspace.get_text_document(params.text_document.uri)
    found: list[types.CodeAction] = []
    if is_wanted(types.CodeActionKind.QuickFix, params.context.only):
        checked = await server.newest(document)
        converter = Converter(checked.text, document.position_codec)
        for finding, shown in server.found(document, checked):
            if overlaps(shown.range, params.range):
                found += quick_fixes(finding, shown, document.uri, checked.version, converter)
    if is_wanted(FIX_ALL, params.context.only):
        version, text = document.version, document.source
        fixed = await server.fixed(document)
        if fixed != text:
            edit = workspace_edit(document.uri, version, Converter(text, document.position_codec).rewrite(fixed))
            found.append(types.CodeAction("torchlint: fix all that is safe", FIX_ALL, edit=edit))
    return found


async def _hover(server: TorchlintServer, params: types.HoverParams) -> types.Hover | None:
    """The pages of the rules that found something here."""
    document = server.workspace.get_text_document(params.text_document.uri)
    place = types.Range(params.position, params.position)
    shown = [each for _, each in server.found(document, await server.newest(document)) if overlaps(each.range, place)]
    rules = {rule.code: rule for each in shown for rule in named(str(each.code))}
    if not rules:
        return None
    pages = "\n\n---\n\n".join(rulebook.page(rule) for rule in rules.values())
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, pages), shown[0].range)

"""The language server itself: documents come in, diagnostics go out, actions and pages on request.

A document is checked a moment after the last key, in a thread of its own, one at a time. What was found is shown only if nobody has
typed on meanwhile. A notebook is one document, whose cells are shown each by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from torchlint import __version__, rulebook
from torchlint.lsp.actions import FIX_ALL, FIX_NOTEBOOK, is_wanted, quick_fixes
from torchlint.lsp.checking import Checked, Checker
from torchlint.lsp.conversion import View, overlaps
from torchlint.lsp.documents import Document, Notebook, Part, State, text_document
from torchlint.lsp.protocol import Protocol
from torchlint.run.many import collect_rarely
from torchlint.selection import named
from torchlint.settings import FILE_NAMES, SettingsError
from torchlint.syntax import making

PAUSE = 0.05
"""Seconds without a key after which a text is checked."""
LANGUAGE = "python"
_CELLS = types.NotebookDocumentFilterWithNotebook("*", [types.NotebookCellLanguage(LANGUAGE)])
ACTIONS = (types.CodeActionKind.QuickFix, FIX_ALL, FIX_NOTEBOOK)


class TorchlintServer(LanguageServer):
    def __init__(self) -> None:
        super().__init__(
            "torchlint",
            __version__,
            # Whole texts: pygls tells rows apart where Python does not, at form feeds for example, and would put changes elsewhere.
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            notebook_document_sync=types.NotebookDocumentSyncOptions([_CELLS], save=True),
            protocol_cls=Protocol,
        )
        self._checker = Checker()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._checks: dict[str, tuple[State, asyncio.Future[Checked]]] = {}
        """Of each document the last one that was begun."""
        self._shown: dict[str, frozenset[str]] = {}
        """The texts of each document for which something was published."""
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._complaint: str | None = None

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
        making.by_assignment()

    # -- what is open ---------------------------------------------------------------------------------------------------

    def document(self, uri: str) -> Document | None:
        """What is open under this URI as it is now; of a cell, the notebook that it is in."""
        notebook = self.workspace.get_notebook_document(notebook_uri=uri) or self.workspace.get_notebook_document(cell_uri=uri)
        if notebook is None:
            text = self._text(uri)
            return text_document(_part(text), _path(uri), text.language_id) if text is not None else None
        texts = [text for cell in notebook.cells if (text := self._text(cell.document)) is not None]
        path = _path(notebook.uri)
        parts = [_part(each) for each in texts if each.language_id == LANGUAGE]
        return Notebook(notebook.uri, path, parts) if path is not None else Document(notebook.uri, path, parts)

    def _text(self, uri: str) -> TextDocument | None:
        """None for a text that is not open: what is on the disk is no client's concern."""
        found: TextDocument | None = self.workspace.text_documents.get(unquote(uri))
        return found

    def close(self, uri: str) -> None:
        if (waiting := self._waiting.pop(uri, None)) is not None:
            waiting.cancel()
        self._forget(uri)
        self._clear(self._shown.pop(uri, ()))

    def _clear(self, texts: Iterable[str]) -> None:
        for uri in texts:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def _forget(self, uri: str) -> None:
        if (last := self._checks.pop(uri, None)) is not None:
            last[1].cancel()

    # -- what was found -------------------------------------------------------------------------------------------------

    def schedule(self, uri: str, pause: float = PAUSE) -> None:
        """Check a document soon, and forget that it was to be checked before."""
        if (waiting := self._waiting.pop(uri, None)) is not None:
            waiting.cancel()
        self._waiting[uri] = asyncio.get_running_loop().create_task(self._check_soon(uri, pause))

    def schedule_all(self) -> None:
        """Something on the disk has changed that any document may depend on."""
        self._checker.forget()
        for uri in list(self._checks):
            self._forget(uri)
        documents = (self.document(uri) for uri in self.workspace.text_documents)
        for uri in {each.uri for each in documents if each is not None}:
            self.schedule(uri, 0)

    async def _check_soon(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        document = self.document(uri)
        checked = await self._check(document) if document is not None else None
        if checked is not None and (now := self.document(uri)) is not None and now.state == checked.document.state:
            self._publish(checked)

    def _publish(self, checked: Checked) -> None:
        document, shown = checked.document, self.view(checked).shown
        for part in document.parts:
            diagnostics = [each for _, uri, each in shown if uri == part.uri]
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(part.uri, diagnostics, part.version))
        texts = frozenset(part.uri for part in document.parts)
        self._clear(self._shown.get(document.uri, frozenset()) - texts)
        self._shown[document.uri] = texts

    async def _check(self, document: Document) -> Checked | None:
        """What is found in it, whoever asks; None if somebody has typed on before it was looked at."""
        state, found = self._checks.get(document.uri, (None, None))
        if found is None or state != document.state:
            self._forget(document.uri)
            found = asyncio.get_running_loop().run_in_executor(self._thread, self._checker.check, document)
            self._checks[document.uri] = document.state, found
        try:
            checked = await asyncio.shield(found)
        except SettingsError as error:
            self._complain(error)
            return Checked(document, ())
        except asyncio.CancelledError:
            if found.cancelled():
                return None
            raise
        self._complaint = None
        return checked

    async def newest(self, uri: str) -> View | None:
        """What is found in the document as it is now."""
        document = self.document(uri)
        checked = await self._check(document) if document is not None else None
        return self.view(checked) if checked is not None else None

    async def fixed(self, uri: str) -> types.WorkspaceEdit | None:
        """What applies all safe fixes to the document; None where there are none."""
        view = await self.newest(uri)
        if view is None or not any(found.is_safely_fixed for found, _, _ in view.shown):
            return None
        try:
            programs = await asyncio.get_running_loop().run_in_executor(self._thread, self._checker.fixed, view.document)
        except SettingsError as error:
            self._complain(error)
            return None
        return view.edit(programs)

    def view(self, checked: Checked) -> View:
        capabilities = self.client_capabilities.text_document
        publishing = capabilities.publish_diagnostics if capabilities is not None else None
        related = bool(publishing is not None and publishing.related_information)
        return View(checked, self.workspace.position_codec, with_related=related)

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


def _part(text: TextDocument) -> Part:
    return Part(text.uri, text.version, text.source)


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
        if path is not None and (path.name in FILE_NAMES or path.suffix == ".py"):
            server.schedule_all()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.close(params.text_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    async def opened_notebook(params: types.DidOpenNotebookDocumentParams) -> None:
        server.schedule(params.notebook_document.uri, 0)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    async def changed_notebook(params: types.DidChangeNotebookDocumentParams) -> None:
        server.schedule(params.notebook_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)
    async def saved_notebook(_: types.DidSaveNotebookDocumentParams) -> None:
        server.schedule_all()

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    async def closed_notebook(params: types.DidCloseNotebookDocumentParams) -> None:
        server.close(params.notebook_document.uri)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(list(ACTIONS)))
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        return await _actions(server, params)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        return await _hover(server, params)

    return server


async def _actions(server: TorchlintServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri = params.text_document.uri
    view = await server.newest(uri)
    if view is None:
        return []
    found: list[types.CodeAction] = []
    if is_wanted(types.CodeActionKind.QuickFix, params.context.only):
        for finding, where, shown in view.shown:
            if where == uri and overlaps(shown.range, params.range):
                found += quick_fixes(finding, shown, view)
    kind = FIX_NOTEBOOK if isinstance(view.document, Notebook) else FIX_ALL
    if is_wanted(kind, params.context.only):
        edit = await server.fixed(uri)
        if edit is not None:
            found.append(types.CodeAction("torchlint: fix all that is safe", kind, edit=edit))
    return found


async def _hover(server: TorchlintServer, params: types.HoverParams) -> types.Hover | None:
    """The pages of the rules that found something here."""
    uri, place = params.text_document.uri, types.Range(params.position, params.position)
    view = await server.newest(uri)
    shown = [each for _, where, each in view.shown if where == uri and overlaps(each.range, place)] if view is not None else []
    rules = {rule.code: rule for each in shown for rule in named(str(each.code))}
    if not rules:
        return None
    pages = "\n\n---\n\n".join(rulebook.page(rule) for rule in rules.values())
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, pages), shown[0].range)

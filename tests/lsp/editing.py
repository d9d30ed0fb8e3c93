"""What an editor does with the documents in it, for the tests."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types
from pytest_lsp import LanguageClient

SECONDS = 60


async def diagnostics(client: LanguageClient, codes: Mapping[str, list[str]]) -> dict[str, list[types.Diagnostic]]:
    """Those of these texts, once they have these codes."""

    def found() -> dict[str, list[types.Diagnostic]]:
        return {uri: list(client.diagnostics[uri]) for uri in codes if uri in client.diagnostics}

    def found_codes() -> dict[str, list[Any]]:
        return {uri: [each.code for each in all_of_it] for uri, all_of_it in found().items()}

    async def wait() -> None:
        while found_codes() != dict(codes):
            await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)

    try:
        await asyncio.wait_for(wait(), SECONDS)
    except asyncio.TimeoutError:
        raise AssertionError(f"{found_codes()} is not {codes}") from None
    return found()


async def actions(client: LanguageClient, uri: str, line: int, *only: str) -> list[types.CodeAction]:
    """What is offered on a row."""
    place = types.Range(types.Position(line, 0), types.Position(line, 200))
    context = types.CodeActionContext([], only=list(only) or None)  # type: ignore[arg-type]
    params = types.CodeActionParams(types.TextDocumentIdentifier(uri), place, context)
    found = await client.text_document_code_action_async(params)
    return [each for each in found or [] if isinstance(each, types.CodeAction)]


async def hover(client: LanguageClient, uri: str, line: int, character: int) -> types.Hover | None:
    place = types.Position(line, character)
    return await client.text_document_hover_async(types.HoverParams(types.TextDocumentIdentifier(uri), place))


def after(action: types.CodeAction, texts: Mapping[str, tuple[int, str]]) -> dict[str, str]:
    """The texts that an action changes, given with their versions; columns count as UTF-16 does, which a client that says nothing gets."""
    assert action.edit is not None and action.edit.document_changes is not None
    changed = {}
    for change in action.edit.document_changes:
        assert isinstance(change, types.TextDocumentEdit)
        version, text = texts[change.text_document.uri]
        assert change.text_document.version == version and change.text_document.uri not in changed
        changed[change.text_document.uri] = _edited(text, change.edits)
    return changed


def _edited(text: str, edits: Any) -> str:
    rows = text.splitlines(keepends=True)

    def offset(place: types.Position) -> int:
        row = rows[place.line] if place.line < len(rows) else ""
        column = len(row.encode("utf-16-le")[: 2 * place.character].decode("utf-16-le"))
        return sum(map(len, rows[: place.line])) + column

    for edit in sorted(edits, key=lambda each: offset(each.range.start), reverse=True):
        assert isinstance(edit, types.TextEdit)
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text


class Editor:
    """One document in an editor."""

    def __init__(self, client: LanguageClient, path: Path, text: str, language: str = "python") -> None:
        self.client, self.path, self.text, self.version = client, path, text, 1
        self.uri = path.as_uri()
        self._item = types.TextDocumentIdentifier(self.uri)
        client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(self.uri, language, 1, text)))

    async def diagnostics(self, codes: list[str]) -> list[types.Diagnostic]:
        """Those of the newest version, once they have these codes; a time-out fails the test."""

        return (await diagnostics(self.client, {self.uri: codes}))[self.uri]

    def type(self, text: str) -> None:
        self.text, self.version = text, self.version + 1
        identifier = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))

    def save(self) -> None:
        self.path.write_text(self.text, encoding="utf-8")
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(self._item))

    def close(self) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self._item))

    async def actions(self, line: int, *only: str) -> list[types.CodeAction]:
        return await actions(self.client, self.uri, line, *only)

    async def hover(self, line: int, character: int) -> types.Hover | None:
        return await hover(self.client, self.uri, line, character)

    def after(self, action: types.CodeAction) -> str:
        """The text once an action is applied."""
        return after(action, {self.uri: (self.version, self.text)})[self.uri]

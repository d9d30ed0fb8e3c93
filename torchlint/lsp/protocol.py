"""The protocol as pygls speaks it, with changes of notebooks told to it in the way that it gets right.

Editors send the changed characters of a cell, however whole texts are asked for; and a cell that changes its language is closed and opened
at once, in this order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol, lsp_method

from torchlint.lsp.conversion import Converter


class Protocol(LanguageServerProtocol):
    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(self, params: types.DidChangeNotebookDocumentParams) -> Iterator[Any]:
        cells = params.change.cells
        if cells is not None:
            opened = {each.uri: each.text for each in (cells.structure.did_open if cells.structure else None) or []}
            if cells.structure is not None:
                cells.structure.did_close = [each for each in cells.structure.did_close or [] if each.uri not in opened]
            for each in cells.text_content or []:
                document = self.workspace.text_documents.get(unquote(each.document.uri))
                text = opened.get(each.document.uri, document.source if document is not None else "")
                each.changes = [types.TextDocumentContentChangeWholeDocument(self._after(text, each.changes))]
        yield from super().lsp_notebook_document__did_change(params)

    def _after(self, text: str, changes: Any) -> str:
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                converter = Converter(text, self.workspace.position_codec)
                text = text[: converter.offset(change.range.start)] + change.text + text[converter.offset(change.range.end) :]
            else:
                text = change.text
        return text

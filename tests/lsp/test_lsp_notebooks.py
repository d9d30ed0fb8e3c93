"""Notebooks in the language server: one program in many cells, each shown by itself, while cells are typed in, added, removed and moved."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from editing import actions, after, diagnostics, hover
from lsprotocol import types
from pytest_lsp import LanguageClient

IMPORT = "%matplotlib inline\nimport torch"
MOVED = "!nvidia-smi\nw = torch.zeros(2).cuda()\nprint(w)"
MODEL = "import torch\nfrom torch import nn\nfrom data import loader\nmodel = nn.Linear(2, 1)"
OPTIMIZER = "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)"
LOOP = "for x, y in loader:\n    loss = (model(x) - y).pow(2).sum()\n    loss.backward()\n    optimizer.step()"


class Notebook:
    """One notebook in an editor, as VS Code tells of it."""

    def __init__(self, client: LanguageClient, path: Path, *sources: str) -> None:
        self.client, self.path = client, path
        self._numbers, self._version = itertools.count(), 1
        self.texts: dict[str, tuple[int, str]] = {}
        self.cells = [self._cell(source) for source in sources]
        notebook = types.NotebookDocument(path.as_uri(), "jupyter-notebook", 1, self._listed(self.cells))
        client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(notebook, self._items(self.cells)))

    def _cell(self, source: str) -> str:
        uri = f"vscode-notebook-cell:{self.path.as_posix()}#W{next(self._numbers)}sZmlsZQ%3D%3D"
        self.texts[uri] = 1, source
        return uri

    def _listed(self, cells: Sequence[str]) -> list[types.NotebookCell]:
        return [types.NotebookCell(types.NotebookCellKind.Code, uri) for uri in cells]

    def _items(self, cells: Sequence[str]) -> list[types.TextDocumentItem]:
        return [types.TextDocumentItem(uri, "python", *self.texts[uri]) for uri in cells]

    async def shown(self, *codes: list[str]) -> list[list[types.Diagnostic]]:
        """What is shown in each cell, once it is of these codes."""
        found = await diagnostics(self.client, dict(zip(self.cells, codes, strict=True)))
        return [found[uri] for uri in self.cells]

    def type(self, number: int, old: str, new: str) -> None:
        """Put some characters into the place of others, wherever these first stand in the cell."""
        uri = self.cells[number]
        version, text = self.texts[uri]
        start = text.index(old)
        self.texts[uri] = version + 1, text.replace(old, new, 1)
        change = types.TextDocumentContentChangePartial(types.Range(_position(text, start), _position(text, start + len(old))), new)
        identifier = types.VersionedTextDocumentIdentifier(version + 1, uri)
        self._change(types.NotebookDocumentCellChanges(text_content=[types.NotebookDocumentCellContentChanges(identifier, [change])]))

    def replace(self, start: int, count: int, *cells: str, opened: Sequence[str] = (), closed: Sequence[str] = ()) -> None:
        self.cells[start : start + count] = cells
        structure = types.NotebookDocumentCellChangeStructure(
            types.NotebookCellArrayChange(start, count, self._listed(cells)),
            self._items(opened),
            [types.TextDocumentIdentifier(uri) for uri in closed],
        )
        self._change(types.NotebookDocumentCellChanges(structure=structure))

    def add(self, number: int, source: str) -> None:
        uri = self._cell(source)
        self.replace(number, 0, uri, opened=[uri])

    def remove(self, number: int) -> str:
        uri = self.cells[number]
        self.replace(number, 1, closed=[uri])
        return uri

    def swap(self, number: int) -> None:
        """Move a cell below the next one."""
        self.replace(number, 2, self.cells[number + 1], self.cells[number])

    def _change(self, cells: types.NotebookDocumentCellChanges) -> None:
        self._version += 1
        identifier = types.VersionedNotebookDocumentIdentifier(self._version, self.path.as_uri())
        change = types.NotebookDocumentChangeEvent(cells=cells)
        self.client.notebook_document_did_change(types.DidChangeNotebookDocumentParams(identifier, change))

    def save(self) -> None:
        self.client.notebook_document_did_save(types.DidSaveNotebookDocumentParams(types.NotebookDocumentIdentifier(self.path.as_uri())))

    def close(self) -> None:
        identifiers = [types.TextDocumentIdentifier(uri) for uri in self.cells]
        notebook = types.NotebookDocumentIdentifier(self.path.as_uri())
        self.client.notebook_document_did_close(types.DidCloseNotebookDocumentParams(notebook, identifiers))

    async def actions(self, number: int, line: int, *only: str) -> list[types.CodeAction]:
        return await actions(self.client, self.cells[number], line, *only)

    def after(self, action: types.CodeAction) -> dict[int, str]:
        """The cells that an action changes, and their new texts."""
        return {self.cells.index(uri): text for uri, text in after(action, self.texts).items()}


def _position(text: str, offset: int) -> types.Position:
    row = text[:offset].split("\n")[-1]
    return types.Position(text.count("\n", 0, offset), len(row.encode("utf-16-le")) // 2)


@pytest.mark.asyncio
async def test_findings_rest_on_earlier_cells_and_are_shown_in_their_own(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "train.ipynb", MODEL, "%%bash\nls", OPTIMIZER, LOOP)
    *_, [found] = await notebook.shown([], [], [], ["TL201"])

    assert found.range == types.Range(types.Position(2, 4), types.Position(2, 19))
    [related] = found.related_information or []
    assert (related.location.uri, related.location.range.start.line) == (notebook.cells[3], 3)


@pytest.mark.asyncio
async def test_evidence_in_another_cell_leads_to_that_cell(client: LanguageClient, tmp_path: Path) -> None:
    losses = "losses = []\nfor x, y in loader:\n    optimizer.zero_grad()\n    loss = (model(x) - y).pow(2).sum()\n    loss.backward()\n"
    losses += "    optimizer.step()\n    losses.append(loss)\nprint(sum(losses) / len(losses))"
    notebook = Notebook(client, tmp_path / "a.ipynb", MODEL, OPTIMIZER, losses)
    *_, [found] = await notebook.shown([], [], ["TL101"])

    places = {each.location.uri: each.location.range.start.line for each in found.related_information or []}
    assert set(places) <= set(notebook.cells) and places


@pytest.mark.asyncio
async def test_typing_in_one_cell_changes_what_is_shown_in_another(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "train.ipynb", MODEL, OPTIMIZER, LOOP)
    await notebook.shown([], [], ["TL201"])
    notebook.type(1, "optimizer =", "# \U0001f525é\noptimizer =")
    notebook.type(1, "é", "e")
    notebook.type(2, "    loss.backward()", "    optimizer.zero_grad()\n    loss.backward()")
    await notebook.shown([], [], [])
    notebook.type(2, "optimizer.zero_grad()", "pass")
    await notebook.shown([], [], ["TL201"])


@pytest.mark.asyncio
async def test_import_typed_in_an_earlier_cell_is_known_below(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", IMPORT.replace("torch", "torchlike"), MOVED)
    await notebook.shown([], [])
    notebook.type(0, "torchlike", "torch")

    await notebook.shown([], ["TL401"])


@pytest.mark.asyncio
async def test_form_feed_and_lone_carriage_return_in_a_cell_move_no_change(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", "import torch\n\x0c\nx = '\x0b\u2028'\n# here")
    await notebook.shown([])
    notebook.type(0, "# here", "w = torch.zeros(2).cuda()")
    [[found]] = await notebook.shown(["TL401"])

    assert found.range.start == types.Position(3, 4)


@pytest.mark.asyncio
async def test_cells_are_added_moved_and_removed(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", MOVED)
    await notebook.shown([])
    notebook.add(0, "# torchlint: ignore-file[TL401]\nx = 1")
    notebook.add(1, IMPORT)
    await notebook.shown([], [], [])
    notebook.swap(0)
    await notebook.shown([], ["TL002"], ["TL401"])
    notebook.swap(0)
    await notebook.shown([], [], [])
    notebook.remove(0)
    await notebook.shown([], ["TL401"])
    removed = notebook.remove(1)

    await diagnostics(client, {removed: [], notebook.cells[0]: []})


@pytest.mark.asyncio
async def test_cell_that_closes_and_opens_at_once_keeps_its_text(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", IMPORT, MOVED)
    await notebook.shown([], ["TL401"])
    uri = notebook.cells[1]
    notebook.texts[uri] = 1, MOVED.replace("zeros", "ones")
    notebook.replace(1, 1, uri, opened=[uri], closed=[uri])

    assert "ones" in notebook.after((await notebook.actions(1, 1, "quickfix"))[0])[1]


@pytest.mark.asyncio
async def test_quick_fix_and_suppression_change_their_cell_and_fix_all_the_notebook(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", IMPORT, MOVED, "v = torch.ones(2).cuda()")
    await notebook.shown([], ["TL401"], ["TL401"])
    fix, suppress, every = await notebook.actions(1, 1)

    fixed = MOVED.replace("(2).cuda()", '(2, device="cuda")')
    assert notebook.after(fix) == {1: fixed}
    assert notebook.after(suppress) == {1: MOVED.replace(".cuda()", ".cuda()  # torchlint: ignore[TL401]")}
    assert every.kind == "notebook.source.fixAll.torchlint"
    assert notebook.after(every) == {1: fixed, 2: 'v = torch.ones(2, device="cuda")'}


@pytest.mark.asyncio
async def test_row_that_a_fix_adds_below_the_last_of_a_cell_stays_in_it(client: LanguageClient, tmp_path: Path) -> None:
    loop = LOOP.replace("    loss.backward()\n    optimizer.step()", "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()")
    notebook = Notebook(client, tmp_path / "a.ipynb", MODEL, OPTIMIZER, LOOP, "print('done')")
    await notebook.shown([], [], ["TL201"], [])
    fix, *_ = await notebook.actions(2, 2, "quickfix")

    assert set(loop.split("\n")) == set(notebook.after(fix)[2].split("\n"))


@pytest.mark.asyncio
async def test_fix_all_is_asked_for_the_notebook_and_not_for_every_cell(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", IMPORT, MOVED)

    assert [each.kind for each in await notebook.actions(0, 0, "notebook.source.fixAll")] == ["notebook.source.fixAll.torchlint"]
    assert await notebook.actions(1, 0, "source.fixAll") == []


@pytest.mark.asyncio
async def test_quick_fixes_are_those_of_the_cell_that_is_asked(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", "import torch\nx = 1", "w = torch.zeros(2).cuda()")
    await notebook.shown([], ["TL401"])

    assert await notebook.actions(0, 0, "quickfix") == []
    assert await hover(client, notebook.cells[0], 0, 6) is None
    found = await hover(client, notebook.cells[1], 0, 6)
    assert found is not None and isinstance(found.contents, types.MarkupContent)
    assert found.contents.value.startswith("# TL401 created-then-moved")


@pytest.mark.asyncio
async def test_places_behind_what_only_ipython_reads_are_those_of_the_cell(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", "import torch\nfiles = !ls '*.pt'\n%time w = torch.zeros(2).cuda()")
    [[found]] = await notebook.shown(["TL401"])

    assert found.range.start == types.Position(2, len("%time w = "))


@pytest.mark.asyncio
async def test_cell_that_is_no_python_says_so_and_the_others_are_checked(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", IMPORT, "def f(:", MOVED)
    _, [broken], _ = await notebook.shown([], ["TL001"], ["TL401"])

    assert broken.message.startswith("this cell is not valid Python") and broken.range.start.line == 0
    assert await notebook.actions(1, 0, "quickfix") == []


@pytest.mark.asyncio
async def test_cells_of_other_languages_are_left_alone(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", IMPORT, MOVED)
    await notebook.shown([], ["TL401"])
    uri = notebook.cells[1]
    structure = types.NotebookDocumentCellChangeStructure(
        types.NotebookCellArrayChange(1, 1, [types.NotebookCell(types.NotebookCellKind.Code, uri)]),
        [types.TextDocumentItem(uri, "sql", 1, MOVED)],
        [types.TextDocumentIdentifier(uri)],
    )
    notebook._change(types.NotebookDocumentCellChanges(structure=structure))

    await notebook.shown([], [])


@pytest.mark.asyncio
async def test_suppression_at_the_top_of_the_first_cell_holds_for_all(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", "# torchlint: ignore-file[TL401]\nimport torch", MOVED)

    await notebook.shown([], [])


@pytest.mark.asyncio
async def test_closed_notebook_has_no_diagnostics(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", IMPORT, MOVED)
    await notebook.shown([], ["TL401"])
    notebook.close()

    await notebook.shown([], [])


@pytest.mark.asyncio
async def test_saving_a_notebook_looks_at_the_project_anew(client: LanguageClient, tmp_path: Path) -> None:
    notebook = Notebook(client, tmp_path / "a.ipynb", IMPORT, MOVED)
    await notebook.shown([], ["TL401"])
    (tmp_path / "torchlint.toml").write_text('include = ["*.py"]\n')
    notebook.save()

    await notebook.shown([], [])


@pytest.mark.asyncio
async def test_json_of_a_notebook_that_is_opened_as_text_is_no_program(client: LanguageClient, tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    text = json.dumps({"cells": [], "metadata": {"title": "torch"}, "nbformat": 4, "nbformat_minor": 5})
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(path.as_uri(), "json", 1, text)))

    assert await diagnostics(client, {path.as_uri(): []})
    assert await actions(client, path.as_uri(), 0) == []

"""The language server, spoken to by a real client over standard input and output."""

from pathlib import Path

import pytest
from editing import Editor
from lsprotocol import types
from pytest_lsp import LanguageClient

CODE = """\
import torch
from torch import nn

from data import loader

model = nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in loader:
    loss = (model(x) - y).pow(2).sum()
    loss.backward()
    optimizer.step()
"""
SAFE = "import torch\n\nw = torch.zeros(2).cuda()\nv = torch.ones(2).cuda()\n"


@pytest.mark.asyncio
async def test_opened_document_gets_diagnostics_with_their_evidence(client: LanguageClient, tmp_path: Path) -> None:
    (found,) = await Editor(client, tmp_path / "train.py", CODE).diagnostics(["TL201"])

    assert (found.severity, found.source, found.range) == (
        types.DiagnosticSeverity.Error,
        "torchlint",
        types.Range(types.Position(9, 4), types.Position(9, 19)),
    )
    assert "\nHelp: call `optimizer.zero_grad()`" in found.message
    assert found.code_description is not None and found.code_description.href.endswith("/rules/training/missing_zero_grad.md")
    assert [(each.message, each.location.range.start.line) for each in found.related_information or []] == [("stepped here", 10)]


@pytest.mark.asyncio
async def test_typing_changes_what_is_shown_without_saving(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "train.py", CODE)
    await editor.diagnostics(["TL201"])
    editor.type(CODE.replace("    loss.backward()", "    optimizer.zero_grad()\n    loss.backward()"))
    await editor.diagnostics([])
    editor.type("import torch\ndef f(:\n")
    await editor.diagnostics(["TL001"])


@pytest.mark.asyncio
async def test_quick_fix_mends_one_finding_and_fix_all_every_safe_one(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "a.py", SAFE)
    await editor.diagnostics(["TL401", "TL401"])
    first, suppress, every = await editor.actions(2)

    assert (first.kind, first.is_preferred) == (types.CodeActionKind.QuickFix, True)
    assert editor.after(first) == SAFE.replace("zeros(2).cuda()", 'zeros(2, device="cuda")')
    assert editor.after(suppress) == SAFE.replace("zeros(2).cuda()", "zeros(2).cuda()  # torchlint: ignore[TL401]")
    assert every.kind == "source.fixAll.torchlint"
    assert editor.after(every) == SAFE.replace("(2).cuda()", '(2, device="cuda")')


@pytest.mark.asyncio
@pytest.mark.parametrize("only", ["source.fixAll.torchlint", "source.fixAll", "source"])
async def test_fix_on_save_asks_for_the_source_action_alone(client: LanguageClient, tmp_path: Path, only: str) -> None:
    editor = Editor(client, tmp_path / "a.py", SAFE)

    assert [each.kind for each in await editor.actions(0, only)] == ["source.fixAll.torchlint"]


@pytest.mark.asyncio
async def test_unsafe_fixes_are_labelled_and_left_out_of_fix_all(client: LanguageClient, tmp_path: Path) -> None:
    text = SAFE.replace("torch.zeros", "torch.randn").replace("v = torch.ones(2).cuda()\n", "")
    editor = Editor(client, tmp_path / "a.py", text)
    await editor.diagnostics(["TL401"])
    titles = [each.title for each in await editor.actions(2)]

    assert len(titles) == 2 and titles[0].endswith("(unsafe) [TL401]")


@pytest.mark.asyncio
async def test_alternatives_are_quick_fixes_of_their_own(client: LanguageClient, tmp_path: Path) -> None:
    text = CODE.replace("    loss.backward()", "    optimizer.zero_grad()\n    loss.backward()\n    kept.append(loss)")
    editor = Editor(client, tmp_path / "a.py", text.replace("for x", "kept = []\nfor x") + "print(sum(kept) / len(kept))\n")
    (found,) = await editor.diagnostics(["TL101"])
    titles = [each.title for each in await editor.actions(found.range.start.line, "quickfix")]

    assert len(titles) == 3 and len(set(titles)) == 3


@pytest.mark.asyncio
async def test_columns_behind_wide_characters_count_as_the_client_counts(client: LanguageClient, tmp_path: Path) -> None:
    text = 'import torch\ns = "\U0001f525é"; w = torch.zeros(2).cuda()\n'
    editor = Editor(client, tmp_path / "a.py", text)
    (found,) = await editor.diagnostics(["TL401"])
    fix, *_ = await editor.actions(1)

    assert found.range.start.character == text.splitlines()[1].index("torch") + 1
    assert editor.after(fix) == text.replace("(2).cuda()", '(2, device="cuda")')


@pytest.mark.asyncio
async def test_hover_shows_the_page_of_the_rule(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "a.py", SAFE)
    await editor.diagnostics(["TL401", "TL401"])
    found = await editor.hover(2, 8)

    assert found is not None and isinstance(found.contents, types.MarkupContent)
    assert found.contents.value.startswith("# TL401 created-then-moved")
    assert await editor.hover(0, 1) is None


@pytest.mark.asyncio
async def test_changed_configuration_holds_at_once(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "a.py", SAFE)
    await editor.diagnostics(["TL401", "TL401"])
    (tmp_path / "torchlint.toml").write_text('ignore = ["TL4"]\n')
    event = types.FileEvent((tmp_path / "torchlint.toml").as_uri(), types.FileChangeType.Created)
    client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    await editor.diagnostics([])


@pytest.mark.asyncio
async def test_broken_configuration_is_said_and_breaks_nothing(client: LanguageClient, tmp_path: Path) -> None:
    (tmp_path / "torchlint.toml").write_text('slect = ["TL4"]\n')
    editor = Editor(client, tmp_path / "a.py", SAFE)
    await editor.diagnostics([])

    assert [each.type for each in client.messages] == [types.MessageType.Error]
    assert "unknown key `slect`" in client.messages[0].message
    (tmp_path / "torchlint.toml").unlink()
    editor.save()
    await editor.diagnostics(["TL401", "TL401"])


@pytest.mark.asyncio
async def test_helper_in_another_file_is_read_anew_once_it_is_saved(client: LanguageClient, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def clear(optimizer):\n    pass\n")
    text = CODE.replace("from torch import nn", "from torch import nn\nfrom helper import clear").replace(
        "    loss.backward()", "    clear(optimizer)\n    loss.backward()"
    )
    (tmp_path / "train.py").write_text(text)
    editor = Editor(client, tmp_path / "train.py", text)
    await editor.diagnostics(["TL201"])
    helper = Editor(client, tmp_path / "helper.py", "def clear(optimizer):\n    optimizer.zero_grad()\n")
    helper.save()

    await editor.diagnostics([])


@pytest.mark.asyncio
async def test_closed_document_has_no_diagnostics(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "a.py", SAFE)
    await editor.diagnostics(["TL401", "TL401"])
    editor.close()

    await editor.diagnostics([])


@pytest.mark.asyncio
async def test_document_without_torch_or_without_a_file_is_silent(client: LanguageClient, tmp_path: Path) -> None:
    assert await Editor(client, tmp_path / "a.py", "x = 1\n").diagnostics([]) == []

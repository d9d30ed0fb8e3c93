"""Markdown documents in the language server: each block of Python is a program of its own."""

from pathlib import Path

import pytest
from editing import Editor
from lsprotocol import types
from pytest_lsp import LanguageClient

MOVED = "import torch\nw = torch.zeros(2).cuda()\n"
IN_A_LIST = "- one:\n\n  ```python\n  import torch\n  w = torch.zeros(2).cuda()\n  ```\n"
DOCUMENT = f"# torch\n\n{IN_A_LIST}\n```py\n{MOVED}```\n\n```python\nw.cuda(\n```\n"


@pytest.mark.asyncio
async def test_findings_stand_in_the_document_and_fragments_are_passed_over(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "README.md", DOCUMENT, "markdown")
    first, second = await editor.diagnostics(["TL401", "TL401"])

    assert [each.range.start for each in (first, second)] == [types.Position(6, 6), types.Position(11, 4)]


@pytest.mark.asyncio
async def test_fixes_and_suppressions_keep_to_their_block(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "README.md", DOCUMENT, "markdown")
    await editor.diagnostics(["TL401", "TL401"])
    fix, suppress, every = await editor.actions(6)

    assert editor.after(fix) == DOCUMENT.replace("(2).cuda()", '(2, device="cuda")', 1)
    assert editor.after(suppress) == DOCUMENT.replace(".cuda()", ".cuda()  # torchlint: ignore[TL401]", 1)
    assert editor.after(every) == DOCUMENT.replace("(2).cuda()", '(2, device="cuda")')


@pytest.mark.asyncio
async def test_document_that_the_configuration_does_not_include_is_silent(client: LanguageClient, tmp_path: Path) -> None:
    (tmp_path / "torchlint.toml").write_text('include = ["*.py"]\n')
    document = Editor(client, tmp_path / "README.md", DOCUMENT, "markdown")

    await document.diagnostics([])
    await Editor(client, tmp_path / "a.py", MOVED).diagnostics(["TL401"])

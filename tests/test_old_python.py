"""Files that Python reads, or once read, and LibCST does not: read all the same, with right places and fixes that change nothing else."""

from pathlib import Path

import pytest
from cli_cases import found, write
from commands import Torchlint

from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.settings import Settings
from torchlint.syntax.file import SourceFile
from torchlint.syntax.parsing import Unreadable

MOVED = "torch.zeros(2).cuda()"
MOVES = Settings(select=("TL401",))
FIXED = 'torch.zeros(2, device="cuda")'
ODD = {
    "form feed on the first row of a block": f"import torch\n\nif torch:\n\f    a = {MOVED}\n    b = 1\nc = 2\n",
    "form feed behind blanks": f"import torch\n\n\nclass A:\n    x = 1\n    \f\n    def f(self):\n \f       return {MOVED}\n",
    "form feed before a comment": f"import torch\n\nif torch:\n\f# c\n  \f    a = {MOVED}\n    \f    # d\n    b = 1\n",
    "tab then spaces": f"import torch\n\nif torch:\n\tif torch:\n\t    a = {MOVED}\n\t    b = 1\n\tc = 1\n",
    "async as a keyword argument": f"import torch\n\ny = torch.ones(2)\nz = y.copied(async=wait), {MOVED}\nx = {MOVED}\n",
    "async as a name": f"import torch\n\n\ndef f(async, await=None):\n    self.async = async\n    x = {MOVED}\n    return x.await\n",
    "async of both kinds": f"import torch\n\n\nasync def f():\n    async with a.async as await:\n        await b\n    return {MOVED}\n",
    "async in a string": f"import torch\n\nx.copied(async=wait)\nprint('async', {MOVED})  # async\n",
    "carriage returns": f"import torch\r\n\r\nif torch:\r\n  \f    x.copied(async=wait)\r\n      y = {MOVED}\r\n".replace(
        "      y", "    y"
    ),
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_spelling_is_read_and_fixed_without_any_other_change(text: str) -> None:
    findings = lint(text, MOVES)

    assert {each.code for each in findings} == {"TL401"}
    for each in findings:
        row = text.splitlines() if "\f" not in text else text.replace("\r\n", "\n").split("\n")
        assert row[each.location.row - 1][each.location.column - 1 : each.end_location.column - 1] in MOVED
    assert fix(text, MOVES).text == text.replace(MOVED, FIXED)


@pytest.mark.parametrize("text", ["x = async\n  y\n", "await = = 1\n", "f(async=)\n", "async x = 1\n", "if a:\n  b\n \fc\n      d\n"])
def test_what_no_python_ever_read_is_still_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        SourceFile(text)


def test_what_is_refused_is_told_by_what_is_wrong_with_it_and_not_by_names_that_are_keywords_by_now() -> None:
    [told] = lint("import torch\nx = torch.ones(2).cuda(async=True)\nprint x\n")

    assert (told.code, told.location.row) == ("TL001", 3)
    assert "TL001" not in {each.code for each in lint("import torch\nx = torch.ones(2).cuda(async=True)\nprint(x)\n")}


@pytest.mark.parametrize("name", ["future_fstrings", "future-fstrings", "future_annotations"])
def test_a_registered_dialect_of_utf_8_is_read_as_utf_8(torchlint: Torchlint, name: str) -> None:
    text = f"# -*- coding: {name} -*-\nimport torch\nx = {MOVED}  # é\n"
    write("a.py", text)

    assert found(torchlint("check", "--output-format", "json").out) == ["TL401"]
    assert torchlint("check", "--fix").status == 0
    assert Path("a.py").read_text(encoding="utf-8") == text.replace(MOVED, FIXED)


def test_a_byte_order_mark_in_a_text_is_no_character_of_its_first_row() -> None:
    plain = f"import torch; x = {MOVED}\n"
    marked = "\ufeff" + plain
    (finding,), (expected,) = lint(marked), lint(plain)

    assert finding.location == expected.location
    assert finding.fix is not None and expected.fix is not None
    assert [(each.start - 1, each.content) for each in finding.fix.edits] == [(each.start, each.content) for each in expected.fix.edits]
    assert fix(marked).text == "\ufeff" + fix(plain).text


def test_a_second_byte_order_mark_is_refused_as_python_does(torchlint: Torchlint) -> None:
    write("a.py", b"\xef\xbb\xbf\xef\xbb\xbfimport torch\n")
    result = torchlint("check", "--output-format", "json")

    assert (result.status, found(result.out)) == (1, ["TL001"])
    assert [each.code for each in lint("\ufeff\ufeffimport torch\n")] == ["TL001"]


def test_messages_and_fixes_never_hold_a_name_that_the_text_has_not() -> None:
    text = "import torch\n\ny.cuda(async=True)\n"
    text += "x = torch.zeros(a.async).to(device=b.async, dtype=torch.half)\n"
    text += "z = torch.zeros(a.async).to(torch.device(b.async))\n"
    for each in lint(text):
        assert "_sync" not in f"{each.message}{each.help}{each.fix}"
    assert "_sync" not in fix(text, applicability=Applicability.UNSAFE).text

"""Text to a tree: the same tree that LibCST gives, or one clear reason why there is none."""

import re
import sysconfig
import tokenize
from pathlib import Path

import libcst as cst
import pytest

from torchlint.syntax.file import SourceFile
from torchlint.syntax.nesting import BRACKETS
from torchlint.syntax.parsing import Unreadable, parse

STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
SAMPLE = "bisect cmd contextlib fnmatch queue reprlib textwrap".split()
BROKEN = {
    "open bracket": ("x = (1\ny = 2\n", 1),
    "no body": ("if a:\nb\n", 2),
    "indented for no reason": ("a\n    b\n", 2),
    "Python 2": ("a = 1\nprint 'b'\n", 2),
    "open string": ("a\nb = 'c\n", 2),
    "keyword as a name": ("\n\nclass = 1\n", 3),
    "not code at all": ("Dear reader,\n", 1),
}
DEEP = {
    "brackets": "a = 1\nx = " + "(" * (BRACKETS + 1) + ")" * (BRACKETS + 1) + "\n",
    "brackets over rows": "a = 1\n" + "[" * (BRACKETS + 1) + "\n" * 3 + "]" * (BRACKETS + 1) + "\n",
    "braces never closed": "a = 1\n" + "{" * 300 + "\n",
    "operators": "a = 1\nx = " + "-" * 2500 + "1\n",
    "attributes": "a = 1\nx = a" + ".b" * 2500 + "\n",
    "branches": "if a:\n" + "    pass\nelif a:\n" * 50_001 + "    pass\n",
    "sum": "a = 1\nx = a" + " + a" * 2500 + "\n",
}
SHALLOW = {
    "as deep as Python allows": "x = " + "(" * 90 + ")" * 90 + "\n",
    "brackets in a string": f"x = '{'(' * 500}'\n",
    "brackets in a comment": f"x = 1  # {'[' * 500}\n",
    "long row": f"x = [{'1, ' * 2000}]\n",
    "many brackets side by side": "x = " + " + ".join(["(a)"] * 300) + "\n",
}


@pytest.mark.parametrize(("text", "row"), BROKEN.values(), ids=BROKEN)
def test_text_that_is_not_python_is_refused_with_its_row_and_a_reason(text: str, row: int) -> None:
    with pytest.raises(Unreadable) as refused:
        SourceFile(text)

    assert refused.value.row == row
    assert refused.value.column >= 1
    assert str(refused.value)
    assert not str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_text_nested_too_deeply_is_refused_at_its_row(text: str) -> None:
    with pytest.raises(Unreadable, match="nested too deeply") as refused:
        parse(text)

    assert refused.value.row == (2 if "elif" not in text else 2 * 50_001 + 1)


@pytest.mark.parametrize("text", SHALLOW.values(), ids=SHALLOW)
def test_many_brackets_alone_are_no_depth(text: str) -> None:
    assert parse(text).code == text


@pytest.mark.parametrize("name", SAMPLE)
def test_tree_is_the_one_that_libcst_gives(name: str) -> None:
    with tokenize.open(STANDARD_LIBRARY / f"{name}.py") as stream:
        text = stream.read()
    module = parse(text)

    assert module.code == text
    assert module.deep_equals(cst.parse_module(text))


@pytest.mark.parametrize("text", ["x = 1\n", "x = (\n"])
def test_nodes_made_by_hand_are_still_checked_afterwards(text: str) -> None:
    try:
        parse(text)
    except Unreadable:
        assert text == "x = (\n"

    with pytest.raises(cst.CSTValidationError):
        cst.Name("")
    with pytest.raises(cst.CSTValidationError):
        cst.Return(cst.Name("a"), whitespace_after_return=cst.SimpleWhitespace(""))
    with pytest.raises(cst.CSTValidationError):
        cst.Name("a").with_changes(lpar=[cst.LeftParen()])


def test_defect_of_the_parser_is_a_reason_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str) -> cst.Module:
        raise AssertionError("inside out")

    monkeypatch.setattr(cst, "parse_module", fail)
    with pytest.raises(Unreadable, match="AssertionError: inside out"):
        parse("x = 1\n")


@pytest.mark.parametrize(
    "text", ["x = '\0'\n", "# a\r\nx = 1\ry = '\0'\n", " import torch\n\0import os\n"], ids=["string", "line ends", "code"]
)
def test_a_text_with_a_nul_is_no_python_and_says_where(text: str) -> None:
    """Some tokenizers of Python fail at it in ways of their own."""
    before = text.replace("\r\n", "\n").replace("\r", "\n").partition("\0")[0].split("\n")
    with pytest.raises(Unreadable, match="it contains a NUL character") as caught:
        parse(text)

    assert (caught.value.row, caught.value.column) == (len(before), len(before[-1]) + 1)


def test_what_libcst_alone_refuses_lies_in_the_text() -> None:
    text = "def a():\n    return 1\n\\\ndef b():\n    c\nd\n"
    with pytest.raises(Unreadable) as refused:
        parse(text)
    assert refused.value.column <= len(text.splitlines()[refused.value.row - 1]) + 1


@pytest.mark.parametrize("text", ['s""\\\n\\s', "x = 1\n\\\n", "\\", "a\x0cb c\nd e", "(\x0c\n", "def f(:\r\n\\"])
def test_what_is_wrong_lies_in_the_text(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(text)
    rows = re.split(r"\r\n?|\n", text)
    assert 1 <= refused.value.row <= len(rows)
    assert 1 <= refused.value.column <= len(rows[refused.value.row - 1]) + 1

"""Every entry of the page about myths says what is believed, what torch does, and shows it in lines that run."""

import ast
import re
import warnings
from pathlib import Path

import pytest

from torchlint.engine import lint

PAGE = (Path(__file__).parents[1] / "rules" / "myths.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENTRIES = [
    pytest.param(body, id=title) for title, _, body in (each.partition("\n") for each in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:])
]


def code(entry: str) -> str:
    (found,) = BLOCK.findall(entry)
    return str(found)


@pytest.mark.parametrize("entry", ENTRIES)
def test_entry_says_what_torch_does_and_asserts_it(entry: str) -> None:
    assert len(BLOCK.sub("", entry).split()) >= 8
    assert any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(code(entry))))


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_an_entry_asserts_holds(entry: str) -> None:
    pytest.importorskip("torch")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch says while it is imported is not what the entry is about
        exec(compile(code(entry), "myth", "exec"), {"__name__": "myth"})


def test_titles_are_unique() -> None:
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)

    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("entry", ENTRIES)
def test_entry_can_be_read_by_torchlint(entry: str) -> None:
    assert [each for each in lint(code(entry)) if each.code.startswith("TL0")] == []

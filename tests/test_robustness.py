"""Code nobody wrote for torchlint: no rule crashes on it, and every fix offered there parses, settles, and changes nothing but its edits.

A sample of the standard library and, where it is installed, of torch; `pytest --sweep tests/test_robustness.py` takes all of both.
"""

import ast
import importlib.util
import subprocess
import sys
import sysconfig
import tokenize
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from torchlint.diagnostic import Diagnostic
from torchlint.edits import Applicability, ResolvedFix, apply
from torchlint.engine import fix, lint
from torchlint.rule import load_rules

SAMPLE = {"torch": 20, "standard library": 15}
"""Every n-th file of each."""


def folder_of(corpus: str) -> Path | None:
    if corpus == "standard library":
        return Path(sysconfig.get_path("stdlib"))
    spec = importlib.util.find_spec(corpus)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if path.is_file() and "site-packages" not in path.relative_to(folder).parts)


def read(path: Path) -> str | None:
    """The text as torchlint would see it, or None for what no Python could read (the standard library tests its own limits)."""
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (SyntaxError, UnicodeDecodeError):
        return None


def mentioning_everything(text: str) -> str:
    """With a closing comment that holds every word any rule waits for, so that no rule skips the file."""
    words = sorted({word for rule in load_rules() for word in rule.mentions})
    return text + ("" if text.endswith("\n") else "\n") + f"# torch {' '.join(words)}\n"


def applicable(found: list[Diagnostic]) -> list[ResolvedFix]:
    return [each.fix for each in found if each.fix is not None and each.fix.applicability >= Applicability.UNSAFE]


def spliced(text: str, fixes: list[ResolvedFix]) -> str:
    """What the text must become if nothing but these edits happens to it."""
    for edit in sorted({edit for each in fixes for edit in each.edits}, reverse=True):
        text = text[: edit.start] + edit.content + text[edit.end :]
    return text


def complaints(path: Path) -> list[str]:
    """Everything that is wrong with how torchlint treats this one file."""
    text = read(path)
    if text is None:
        return []
    text = mentioning_everything(text)
    found = lint(text, path=str(path))
    wrong = [f"{path}: {each.message}" for each in found if each.code == "TL000"]
    if not applicable(found):
        return wrong
    once, applied = apply(text, applicable(found))
    if once != spliced(text, applied):
        wrong.append(f"{path}: more changed than the edits say")
    result = fix(text, path=str(path), applicability=Applicability.UNSAFE)
    try:
        ast.parse(result.text)
    except SyntaxError as error:
        wrong.append(f"{path}: fixed text does not parse: {error}")
    if fix(result.text, path=str(path), applicability=Applicability.UNSAFE).text != result.text:
        wrong.append(f"{path}: a second fix changes the text again")
    return wrong + [f"{path}: after fixing: {each.message}" for each in result.remaining if each.code == "TL000"]


@pytest.mark.parametrize("corpus", SAMPLE)
def test_foreign_code_neither_crashes_a_rule_nor_is_harmed(corpus: str, request: pytest.FixtureRequest) -> None:
    folder = folder_of(corpus)
    if folder is None:
        pytest.skip(f"{corpus} is not installed")
    every = 1 if request.config.getoption("--sweep") else SAMPLE[corpus]
    files = files_in(folder)[::every]

    assert len(files) > 10
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        assert [line for lines in pool.map(complaints, files, chunksize=8) for line in lines] == []


@pytest.mark.parametrize("corpus", SAMPLE)
def test_checking_all_of_it_ends_with_0_or_1(corpus: str, request: pytest.FixtureRequest) -> None:
    folder = folder_of(corpus)
    if folder is None or not request.config.getoption("--sweep"):
        pytest.skip("only with --sweep, where the folder is there")
    command = [sys.executable, "-m", "torchlint", "check", "--isolated", "--output-format", "concise", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (result.returncode in (0, 1), "Traceback" in result.stderr, "TL000" in result.stdout) == (True, False, False)

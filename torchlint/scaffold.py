"""A new rule of a plugin, with all that belongs to it: module, page, cases and a test that holds them.

It works as it is, so that there is something to change.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from torchlint.plugins import CODE, RESERVED

_RULE = '''\
"""A call of `torch.set_printoptions`, left over from a look at numbers."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import REPAIRS, UNSAFE, WARNING, Finding, rule


@rule("$code", severity=WARNING, fix=UNSAFE, effect=REPAIRS, mentions=("set_printoptions",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls("torch.set_printoptions"):
        yield Finding(
            call,
            f"`{file.source(call)}` changes how every tensor of the program is printed",
            help="leave it out",
            fix=rewrite.delete_statement(call),
        )
'''
_PAGE = """\
# $code $name

## What it does
Flags calls of `torch.set_printoptions`.

## Why it matters
The options hold for the whole program: whoever prints a tensor elsewhere sees it in another way than its author.

## Stays quiet
- Functions of that name that are not torch's.

## Fix
Unsafe, repairs: the call is left out.
"""
_GOOD = """\
import numpy
import torch

# case: another library's
numpy.set_printoptions(precision=2)
print(torch.ones(2))
"""
_BAD = """\
import torch

# case: for the whole program
torch.set_printoptions(precision=2)$mark
print(torch.ones(2))
"""
_TEST = '''\
"""Every rule of $package over its cases."""

import pytest

from torchlint.testing import Case, cases


@pytest.mark.parametrize("case", cases("$package"), ids=str)
def test_case(case: Case) -> None:
    case.hold()
'''


class ScaffoldError(ValueError):
    """Why no rule was written."""


def write(code: str, name: str, folder: Path, tests: Path) -> list[Path]:
    """Write the rule into the folder of its package, and the package's test beside it unless it is there; all that was written."""
    stem, letters = name.replace("-", "_"), CODE.fullmatch(code)
    if letters is None or letters["prefix"] in RESERVED:
        raise ScaffoldError(f"`{code}` is no code for a rule of your own; capital letters of your own and a number are, such as ACME101")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", stem):
        raise ScaffoldError(f"`{name}` is no name for a rule; small letters with hyphens are, such as no-print-options")
    package = folder.absolute().name
    if not package.isidentifier():
        raise ScaffoldError(f"`{package}` is no name of a package that Python could import; name another folder")
    cases = folder / "fixtures" / stem
    texts = {
        folder / f"{stem}.py": _RULE,
        folder / "pages" / f"{stem}.md": _PAGE,
        cases / "good.py": _GOOD,
        cases / "bad.py": _BAD.replace("$mark", f"  # expect: {code}"),
        cases / "bad.fixed.py": _BAD.replace("torch.set_printoptions(precision=2)$mark\n", ""),
    }
    for path in texts:
        if path.exists():
            raise ScaffoldError(f"{path} exists already")
    shared = {folder / "__init__.py": '"""Rules of $package."""\n', tests / f"test_{package}.py": _TEST}
    texts.update({path: text for path, text in shared.items() if not path.exists()})
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(code=code, name=stem.replace("_", "-"), package=package), encoding="utf-8")
    return list(texts)

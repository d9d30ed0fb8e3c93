"""Whether a program was written for a torch before 0.4, whose constructors take no device: `device=` would raise there."""

from __future__ import annotations

import re
from pathlib import Path

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import last_name
from torchlint.syntax.literals import literal

_INDEXED = re.compile(r"\w*loss\w*\.data\[0\]", re.IGNORECASE)
"""A loss with a dimension: it raises since."""
_VOLATILE = re.compile(r"\b(?:volatile|async)\s*=\s*True\b")
"""Flags that do nothing since, or are no names any more, and may have been left behind."""
_NEWER = re.compile(r"\bno_grad\b|\bdevice\s*=|\btorch\.device\b|\.to\(|\.item\(\)|\bset_grad_enabled\b")
"""What torch 0.4 brought."""


def is_older(file: FileAnalysis) -> bool:
    """Whether this file, or one of the same program, does what only an older torch does."""
    if any(_is_loss(file, data) for data in file.tree.attributes.get("data", ())):
        return True
    if _NEWER.search(file.text):
        return False
    if _VOLATILE.search(file.text) or _stands_near(file, _INDEXED):
        return True
    return _stands_near(file, _VOLATILE) and not _stands_near(file, _NEWER)


def _is_loss(file: FileAnalysis, data: cst.Attribute) -> bool:
    """`loss.data[0]`, of what is called a loss, or was trained: it has a dimension only before torch 0.4."""
    indexed = file.parent(data)
    index = indexed.slice[0].slice if isinstance(indexed, cst.Subscript) and indexed.value is data and len(indexed.slice) == 1 else None
    if not isinstance(index, cst.Index) or literal(index.value) != 0:
        return False
    return "loss" in last_name(data.value).lower() or bool(file.value(data.value).roots)


def _stands_near(file: FileAnalysis, pattern: re.Pattern[str]) -> bool:
    """Whether it stands in a file of the same program: beside this one, or where one of the two imports the other, or its package."""
    here = Path(file.path).absolute()
    found = {Path(path) for path, _ in file.found_elsewhere(pattern) or ()}
    if not found:
        return False
    importers = {Path(path) for path, _ in file.found_elsewhere(_import_of(here)) or ()}
    return any(each.parent == here.parent or each in importers or _import_of(each).search(file.text) for each in found)


def _import_of(path: Path) -> re.Pattern[str]:
    """An import of a module, or from the package that it stands in."""
    names = "|".join(re.escape(name) for name in (path.stem, path.parent.name) if name and name != "__init__")
    return re.compile(rf"^[ \t]*(?:from|import)\b[^\n]*\b(?:{names})\b", re.MULTILINE)

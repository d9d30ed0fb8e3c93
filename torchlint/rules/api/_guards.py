"""Code that provides for another torch than the one it is read for: it asks first, catches the exception, or adds the name itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node

_ASKS = re.compile(r"version|hasattr|getattr|isinstance|type\(|signature|is_\w*available|has_|_?torch_?(?:ge|gt|le|lt|\d)", re.IGNORECASE)
"""What a condition says that depends on which torch is there, or on what the value in hand is."""

_CAUGHT = re.compile(r"\b(?:Attribute|Import|ModuleNotFound|Name|Type)Error\b|\b(?:Base)?Exception\b")


def is_guarded(file: FileAnalysis, node: Node) -> bool:
    """Whether a place is only reached where torch was found to have what it needs, or where it is no harm if torch has not."""
    return any(_provides(file, around) for around in file.ancestors(node)) or any(
        _ASKS.search(file.source(condition.test)) is not None for place in _functions(file, node) for condition in when(file, place)
    )


def is_added(file: FileAnalysis, path: str) -> bool:
    """Whether the program may give something such a name, or asks for it by its spelling (`hasattr`, `setattr`).

    Nobody adds anything to `torch.backends`: what is set there is meant to be a switch.
    """
    name = path.rpartition(".")[2]
    if path.startswith("torch.backends."):
        return file.is_written(re.compile(rf"""['"]{name}['"]"""))
    return file.is_written(re.compile(rf"""['"]{name}['"]|(?<!self)(?<!cls)\.{name}\s*(?::[^=\n]+)?=(?!=)"""))


def _provides(file: FileAnalysis, around: Node) -> bool:
    if isinstance(around, (cst.Try, cst.TryStar)):
        return any(handler.type is None or _CAUGHT.search(file.source(handler.type)) is not None for handler in around.handlers)
    if isinstance(around, cst.With):
        return any(isinstance(each.item, cst.Call) and _CAUGHT.search(file.source(each.item)) is not None for each in around.items)
    if isinstance(around, (cst.FunctionDef, cst.ClassDef)):
        return any(_ASKS.search(file.source(each)) is not None or "skip" in file.source(each) for each in around.decorators)
    return False


def _functions(file: FileAnalysis, node: Node) -> Iterator[Node]:
    """The place, and the functions and classes around it, each of which is reached under conditions of its own."""
    yield node
    yield from (around for around in file.ancestors(node) if isinstance(around, (cst.FunctionDef, cst.ClassDef)))

"""Layers that a constructor registers and that nothing in the program ever asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._building import makes_weighted
from torchlint.rules.modules._registration import is_target

_AT_LARGE = re.compile(r"\bgetattr\(|children\(|modules\(|_modules\b|__dict__|\bvars\(|\.apply\(|get_submodule|exec\(|eval\(['\"]")
"""Ways to reach layers without their names."""


def unused(file: FileAnalysis) -> Iterator[tuple[cst.Attribute, str]]:
    """The attributes of modules that hold a layer and are only ever set, each with its name."""
    for owner in file.classes():
        if not owner.is_module or owner.is_open or owner.is_managed or owner.method("forward") is None:
            continue
        found = [
            (assigned[0][1], name)
            for name, assigned in owner.assignments.items()
            if all(made is not None and _has_weights(file, made) for _, _, made in assigned) and not _is_asked_for(file, owner, name)
        ]
        if found and not any(_AT_LARGE.search(model.file.source(model.node)) for model in owner.ancestry):
            yield from found


def _has_weights(file: FileAnalysis, made: cst.BaseExpression) -> bool:
    return isinstance(made, cst.Call) and makes_weighted(file, made) and "Dropout" not in file.source(made.func)


def _is_asked_for(file: FileAnalysis, owner: ClassModel, name: str) -> bool:
    """Whether anybody reads an attribute of this name, or speaks of it in a string or in another file."""
    if any(not is_target(file, each) for each in file.tree.attributes.get(name, ())):
        return True
    texts = (each.raw_value for each in file.nodes(cst.SimpleString))
    return any(re.search(rf"\b{name}\b", text) for text in texts) or _is_read_elsewhere(file, name)


def _is_read_elsewhere(file: FileAnalysis, name: str) -> bool:
    return file.is_written_elsewhere(re.compile(rf"\.{name}\b(?!\s*=[^=])|[\"'][\w.]*\b{name}\b"))

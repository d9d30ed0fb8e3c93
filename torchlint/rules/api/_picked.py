"""Where only the first part of a result is used: `f(x)[0]`, `f(x).solution`, `solution, _ = f(x)`."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from torchlint import rewrite
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import Fix
from torchlint.syntax.literals import literal


@dataclass(frozen=True)
class Picked:
    """The expression that yields the first part alone, and the target that unpacks it, with what it is reduced to."""

    whole: cst.BaseExpression
    target: cst.BaseExpression | None = None
    first: cst.BaseExpression | None = None

    def replaced(self, file: FileAnalysis, text: str) -> Fix:
        fix = rewrite.replace(self.whole, text)
        if self.target is not None and self.first is not None:
            fix += rewrite.replace_target(self.target, file.source(self.first))
        return fix


def picked(file: FileAnalysis, call: cst.Call, field: str) -> Picked | None:
    """What takes the first part of what a call returns; None where the rest is used too, or may be."""
    parent = file.parent(call)
    if isinstance(parent, cst.Attribute) and parent.attr.value == field:
        return Picked(parent)
    if isinstance(parent, cst.Subscript) and parent.value is call and len(parent.slice) == 1:
        index = parent.slice[0].slice
        return Picked(parent) if isinstance(index, cst.Index) and literal(index.value) == 0 else None
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        target = parent.targets[0].target
        if isinstance(target, (cst.Tuple, cst.List)) and len(target.elements) == 2:
            first, rest = (each.value for each in target.elements)
            unused = isinstance(rest, cst.Name) and (rest.value == "_" or len(file.references(rest)) == 1)
            if unused and not any(isinstance(each, cst.StarredElement) for each in target.elements):
                return Picked(call, target, first)
    return None

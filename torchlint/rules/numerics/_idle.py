"""Whether a layer is put aside and never asked for: whatever is wrong with it, no program meets it."""

from __future__ import annotations

import re

import libcst as cst

from torchlint.program.analysis import FileAnalysis

_OF_OTHERS = r"(?<!\bF)(?<!\bnn)(?<!\btorch)(?<!\bfunctional)(?<!\bself)"
"""Before the dot, in another file: torch's functions of the name, and what classes there call their own."""


def is_idle(file: FileAnalysis, made: cst.Call) -> bool:
    """Whether a call is assigned to an attribute that nobody reads, here or in another file."""
    assigned = file.parent(made)
    if not isinstance(assigned, cst.Assign) or len(assigned.targets) != 1:
        return False
    target = assigned.targets[0].target
    if not isinstance(target, cst.Attribute):
        return False
    name = target.attr.value
    for each in file.tree.attributes.get(name, ()):
        if not isinstance(file.parent(each), cst.AssignTarget) and file.qualname(each) is None:
            return False  # and no function of torch: `F.softmax`
    return not file.is_written_elsewhere(re.compile(rf"{_OF_OTHERS}\.{name}\b(?!\s*=[^=])|[\"'][\w.]*\b{name}\b"))

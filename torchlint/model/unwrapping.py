"""Whether a wrapper around a module is ever run, or only put on for the keys of a checkpoint and taken off again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from torchlint.model.tree import Node

if TYPE_CHECKING:
    from torchlint.model import FileModel

_PASSES_ON = frozenset({"to", "cuda", "cpu", "train", "eval", "half", "float"})
_ONLY_STATE = frozenset({"module", "state_dict", "load_state_dict"})


def never_runs(file: FileModel, call: cst.Call) -> bool:
    """`Wrapper(m).state_dict()`, or `m = Wrapper(m)` … `m = m.module` without a call in between."""
    node: Node = call
    above = file.parent(node)
    while isinstance(above, cst.Attribute):
        if above.attr.value in _ONLY_STATE:
            return True
        outer = file.parent(above)
        if above.attr.value not in _PASSES_ON or not isinstance(outer, cst.Call):
            return False
        node, above = outer, file.parent(outer)
    if not isinstance(above, cst.Assign) or len(above.targets) != 1 or not isinstance(above.targets[0].target, cst.Name):
        return False
    name = above.targets[0].target
    for use in file.references(name):
        if not file.is_after(use, call) or file.is_inside(use, call):
            continue
        around = file.parent(use)
        if isinstance(around, cst.Attribute) and around.attr.value == "module" and _is_bound_again(file, around, name.value):
            return True
        if not isinstance(around, (cst.Attribute, cst.AssignTarget)):
            return False  # called, or handed to somebody who may call it
    return False


def _is_bound_again(file: FileModel, node: cst.Attribute, name: str) -> bool:
    """`m = m.module`"""
    statement = file.parent(node)
    if not isinstance(statement, cst.Assign) or statement.value is not node:
        return False
    return any(isinstance(target.target, cst.Name) and target.target.value == name for target in statement.targets)

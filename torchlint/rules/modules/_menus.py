"""Dicts of modules that are there to choose one from: the constructor registers the chosen one, and the others are choices not taken."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program import callers
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._registration import is_on_instance
from torchlint.syntax.tree import Node
from torchlint.values.flow import Analysis

_FAR = 3
"""Through how many names and results a choice is followed."""
_LOOKS = frozenset({"keys", "__contains__"})


def is_menu(file: Analysis, owner: ClassModel, reads: list[cst.Attribute]) -> bool:
    """Whether all that is done with a dict of modules is to choose the entry that the constructor keeps as an attribute."""
    entries = [(each, _entry(file, each)) for each in reads]
    chosen = [entry for _, entry in entries if entry is not None]
    return (
        bool(chosen)
        and all(_is_kept(file, owner, each, _FAR) for each in chosen)
        and all(entry is not None or _is_looked_at(file, each) for each, entry in entries)
    )


def _entry(file: Analysis, menu: Node) -> Node | None:
    """`menu[name]`, `menu.get(name)`"""
    above = file.parent(menu)
    if isinstance(above, cst.Subscript) and above.value is menu:
        return above
    call = file.parent(above) if isinstance(above, cst.Attribute) and above.attr.value in ("get", "pop") else None
    return call if isinstance(call, cst.Call) and call.func is above else None


def _is_looked_at(file: Analysis, menu: Node) -> bool:
    """`name in menu`, `menu.keys()`"""
    above = file.parent(menu)
    return isinstance(above, cst.ComparisonTarget) or isinstance(above, cst.Attribute) and above.attr.value in _LOOKS


def _is_kept(file: Analysis, owner: ClassModel, entry: Node, far: int) -> bool:
    """Whether an entry becomes an attribute in the constructor: there, by way of a name, or as the result of a method."""
    above = file.parent(entry)
    function = file.function(entry)
    if isinstance(above, cst.Return) and isinstance(function, cst.FunctionDef):
        calls = list(callers.calls(file, function))
        return far > 0 and bool(calls) and all(_is_kept(file, owner, each, far - 1) for each in calls)
    if not isinstance(above, cst.Assign):
        return False
    targets = [each.target for each in above.targets]
    if any(isinstance(each, cst.Attribute) and is_on_instance(file, each, owner.node) for each in targets):
        return isinstance(function, cst.FunctionDef) and function.name.value == "__init__"
    return far > 0 and any(_is_kept(file, owner, use, far - 1) for use in _uses(file, targets))


def _uses(file: Analysis, targets: list[cst.BaseAssignTargetExpression]) -> Iterator[Node]:
    for target in targets:
        if isinstance(target, cst.Name):
            yield from (each for each in file.references(target) if each is not target)

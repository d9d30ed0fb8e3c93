"""Tensors that grow by one concatenation in every round of a loop, and are not looked at before it is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.tensors import JOINING
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import HotLoops, Loop
from torchlint.rules.device._long import is_long
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind


@dataclass
class Growth:
    """`out = torch.cat([out, x])` in a loop."""

    file: FileAnalysis
    call: cst.Call
    name: cst.Name
    added: list[cst.BaseExpression]
    """What comes behind the tensor; nothing where it does not stand first."""
    loop: Loop

    @cached_property
    def start(self) -> cst.Assign | None:
        """The one statement in front of the loop that makes what it begins with, if the loop and its concatenation are all that follows."""
        function = self.file.function(self.call)
        block = list(getattr(self.file.parent(self.loop), "body", ()))
        others = [use for use in self.file.references(self.name) if not self.file.is_inside(use, self.call) and use is not self.name]
        before = [use for use in others if not self.file.is_after(use, self.loop)]
        if len(before) != 1 or any(self.file.is_inside(use, self.loop) or self.file.function(use) is not function for use in others):
            return None
        above = self.file.parent(before[0])
        made = self.file.parent(above) if isinstance(above, cst.AssignTarget) else None
        if not isinstance(made, cst.Assign) or len(made.targets) != 1 or self.file.statement(made) not in block:
            return None
        return made if self.file.value(made.value).kind is Kind.TENSOR else None

    @property
    def goes_on_behind(self) -> bool:
        """Whether every way out of the loop leads to the statement behind it."""
        return self.loop.orelse is None and not any(self.file.inside(self.loop, kind) for kind in (cst.Return, cst.Yield, cst.Del))


def growths(file: FileAnalysis) -> Iterator[Growth]:
    """All of them, in document order."""
    hot = HotLoops(file)
    for call in file.calls(*sorted(JOINING)):
        assign, parts = file.parent(call), call.args[0].value if call.args else None
        loop = next(file.tree.loops(call), None)
        if loop is None or not isinstance(assign, cst.Assign) or not isinstance(parts, (cst.List, cst.Tuple)):
            continue
        name = assign.targets[0].target
        if len(assign.targets) != 1 or not isinstance(name, cst.Name):
            continue
        values = [each.value for each in parts.elements]
        own = [each for each in values if isinstance(each, cst.Name) and each.value == name.value]
        if len(own) != 1 or len(values) < 2 or any(isinstance(each, cst.StarredElement) for each in parts.elements):
            continue
        if _is_looked_at(file, name, call, loop) or _starts_over(file, name, loop) or _is_rare(file, name, call, loop):
            continue
        if not is_long(file, hot, loop):
            continue
        yield Growth(file, call, name, values[1:] if values[0] is own[0] else [], loop)


def _is_looked_at(file: FileAnalysis, name: cst.Name, call: cst.Call, loop: Loop) -> bool:
    """Whether the loop needs what has come together so far, for more than to see whether it is the first round."""
    uses = [each for each in file.references(name) if file.is_inside(each, loop) and each is not name]
    read = [each for each in uses if not isinstance(file.parent(each), cst.AssignTarget) and not _asks_whether_there(file, each)]
    return len(read) != 1 or not file.is_inside(read[0], call)


def _asks_whether_there(file: FileAnalysis, use: Node) -> bool:
    """`out is None`, `len(out) == 0`"""
    above = file.parent(use)
    if isinstance(above, cst.Arg):
        call = file.parent(above)
        above = file.parent(call) if isinstance(call, cst.Call) and file.value(call.func).qualname == "builtins.len" else above
    if isinstance(above, cst.ComparisonTarget):
        above = file.parent(above)
    return isinstance(above, cst.Comparison)


def _starts_over(file: FileAnalysis, name: cst.Name, loop: Loop) -> bool:
    """Whether a round gives the name something else, and not just the first one."""
    for use in file.references(name):
        if use is name or not file.is_inside(use, loop) or not isinstance(file.parent(use), cst.AssignTarget):
            continue
        for each in file.ancestors(use):
            if each is loop:
                return True
            if isinstance(each, (cst.If, cst.Else)):
                break
    return False


def _is_rare(file: FileAnalysis, name: cst.Name, call: cst.Call, loop: Loop) -> bool:
    """Whether only some rounds get there: under a condition other than that something came before."""
    child: Node = call
    for each in file.ancestors(call):
        if each is loop:
            break
        if isinstance(each, cst.If) and child is not each.test and not _asks_for_first(file, name, each):
            return True
        if isinstance(each, (cst.Try, cst.TryStar)) and child is not each.body:
            return True
        child = each
    return False


def _asks_for_first(file: FileAnalysis, name: cst.Name, branch: cst.If) -> bool:
    """`if out is None: out = x`, `if i == 0: out = x`, `if i > 0:`"""
    set_there = (use for use in file.references(name) if use is not name and file.is_inside(use, branch.body))
    if any(isinstance(file.parent(use), cst.AssignTarget) for use in set_there):
        return True
    compared = branch.test.comparisons[0].comparator if isinstance(branch.test, cst.Comparison) else None
    return compared is not None and literal(compared) in (None, 0)

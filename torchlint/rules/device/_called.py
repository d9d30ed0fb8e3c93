"""Waits in a function that a hot loop calls for each batch, or a framework: the loop waits as if they stood in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import libcst as cst

from torchlint.facts.modules import MANAGED_STEPS
from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._callees import arguments
from torchlint.rules.device._guards import is_rare
from torchlint.rules.device._hot import HotLoops, Loop, names_in
from torchlint.rules.device._purposes import Purpose, is_copy, is_reduced, purpose
from torchlint.rules.device._shown import left_on_self, shows_later
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Value

_FAR = 40
"""How many of the values that something was computed from are looked at."""


@dataclass
class PerBatch:
    """A function that is run once for every batch."""

    file: FileAnalysis
    hot: HotLoops
    node: cst.FunctionDef
    calls: list[tuple[cst.Call, Loop]]
    """Where hot loops call it; nowhere, if a framework does."""

    @property
    def is_managed(self) -> bool:
        return not self.calls

    def goes(self, wait: cst.BaseExpression, *, read: bool) -> bool:
        """Whether a number is read there that neither the function nor any of its callers needs."""
        if is_copy(self.file, wait) and not is_reduced(self.file, wait):
            return False
        if purpose(self.file, wait, self.node, trains=True, read=read) is not Purpose.GOES:
            return False
        left = left_on_self(self.file, wait, self.node) if self.calls and read else set()
        if any(shows_later(self.file, call, loop, left) for call, loop in self.calls):
            return False
        if not is_returned(self.file, wait):
            return True
        return not self.is_managed and all(
            purpose(self.file, call, loop, trains=self.hot.trains(loop)) is Purpose.GOES for call, loop in self.calls
        )

    def is_given(self, value: Value) -> bool:
        """Whether a value is computed from what a caller hands over, and that lives on the device."""
        queue = [value]
        for each in queue:
            name = each.node.name.value if isinstance(each.node, cst.Param) else None
            if name in self._on_device:
                return True
            queue += each.sources[: max(0, _FAR - len(queue))]
        return False

    @cached_property
    def _on_device(self) -> set[str]:
        """The parameters that some call gives something that is on the device."""
        return {name for call, _ in self.calls for name in on_device(self.hot, arguments(self.file, self.node, call))}


def is_returned(file: FileAnalysis, wait: Node) -> bool:
    """Whether a function hands what it waited for to its caller."""
    for each in file.ancestors(wait):
        if isinstance(each, cst.Return):
            return True
        if isinstance(each, cst.Assign):
            names = [name for target in each.targets for name in names_in(target.target)]
            return any(
                isinstance(above, cst.Return) for name in names for use in file.references(name) for above in islice(file.ancestors(use), 4)
            )
        if isinstance(each, cst.BaseSuite):
            break
    return False


def on_device(hot: HotLoops, given: dict[str, cst.BaseExpression]) -> dict[str, cst.BaseExpression]:
    """Those of the arguments that are on the device."""
    values = {name: hot.file.value(node) for name, node in given.items()}
    return {
        name: given[name]
        for name, value in values.items()
        if value.kind in (Kind.TENSOR, Kind.UNKNOWN) and (hot.lives_there(value) or hot.is_computed_there(value))
    }


def per_batch(file: FileAnalysis, hot: HotLoops, function: Node) -> PerBatch | None:
    """A function as one that is run for every batch; None where it is not known to be, or is called elsewhere too."""
    if not isinstance(function, cst.FunctionDef) or function.asynchronous is not None:
        return None
    owner = file.owner(function)
    if owner is not None and owner.is_managed:
        return PerBatch(file, hot, function, []) if function.name.value in MANAGED_STEPS else None
    found = []
    for call in callers.calls(file, function):
        may = any(file.relevance.may_be_hot(each) for each in file.tree.loops(call))
        loop = hot.around(call) if may else None
        if loop is None or is_rare(file, call, loop):
            return None
        found.append((call, loop))
    return PerBatch(file, hot, function, found) if found else None

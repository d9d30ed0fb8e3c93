"""What the functions that a loop calls wait for, in this file or another: the iteration waits there, whatever the loop does itself.

Only what every call goes through counts, and only where it is given something that is on a device.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._called import is_returned, on_device
from torchlint.rules.device._callees import Called, arguments, backward, callee
from torchlint.rules.device._guards import is_on_accelerator
from torchlint.rules.device._hot import HotLoops, Loop, last_name
from torchlint.rules.device._purposes import Purpose, is_copy, is_reduced, purpose
from torchlint.rules.device._reads import asks_for, candidates, is_read_of_old, sized_by_value
from torchlint.rules.device._shown import left_on_self, shows_later
from torchlint.syntax.tree import Node
from torchlint.values.algebra import whereabouts
from torchlint.values.value import Kind, Place, Value

_DEEP = 4
"""How many calls one after the other are followed."""
_MANY = 200
"""How many of the values that something was computed from are looked at."""
_DETECTORS = "torchvision.models.detection."
"""These models pick by value, in training and in evaluation."""
_BOTH = frozenset({True, False})


@dataclass(frozen=True)
class Inner:
    """A wait that every call of a function goes through."""

    file: FileAnalysis
    function: cst.FunctionDef
    """What it stands in."""
    node: cst.BaseExpression
    given: frozenset[str]
    """The parameters of the function that is called from which what it waits for is computed."""
    is_there: bool
    """Whether the function itself puts it on the device."""
    modes: frozenset[bool]
    """In training, in evaluation, or in both."""
    goes: bool
    """Whether this function, and those that it returns the number to, could do without."""
    is_returned: bool


class Insides:
    """The waits in the functions that are called, as far as they are certain."""

    def __init__(self, hot: HotLoops) -> None:
        self._hot = hot
        self._known: dict[Node, list[Inner]] = {}
        self._candidates: dict[str, dict[Node, list[tuple[cst.BaseExpression, cst.BaseExpression]]]] = {}

    def waits(self, call: cst.Call, loop: Loop) -> list[Inner]:
        """What a call in a hot loop waits for inside, with what it is given there."""
        file, trains = self._hot.file, self._hot.trains(loop)
        called = callee(file, call)
        if called is None:
            return []
        given = set(on_device(self._hot, arguments(file, called.node, call)))
        found = [
            each for each in self._inside(called, _DEEP) if trains in each.modes and (each.is_there or not given.isdisjoint(each.given))
        ]
        needed = not found or purpose(file, call, loop, trains=trains) is not Purpose.GOES
        return [replace(each, goes=each.goes and not (each.is_returned and needed or self._shows(call, loop, each))) for each in found]

    def _shows(self, call: cst.Call, loop: Loop, inner: Inner) -> bool:
        return inner.goes and shows_later(self._hot.file, call, loop, left_on_self(inner.file, inner.node, inner.function))

    def picks(self, call: cst.Call) -> bool:
        """Whether a library's model is called that picks by value."""
        value = self._hot.file.value(call.func)
        return value.kind is Kind.MODULE and (value.qualname or "").startswith(_DETECTORS)

    def _inside(self, function: Called, deep: int) -> list[Inner]:
        """The waits of a function; of a `torch.autograd.Function` those on both ways, without which it does not work."""
        found = self._known_in(function, deep)
        after = backward(function)
        if after is None:
            return found
        given = frozenset(each.name.value for each in function.node.params.params)
        later = [replace(each, given=given, modes=each.modes & {True}) for each in self._known_in(after, deep) if True in each.modes]
        return [replace(each, goes=False, is_returned=False) for each in (*found, *later)]

    def _known_in(self, function: Called, deep: int) -> list[Inner]:
        node = function.node
        if deep == 0 or node.asynchronous is not None:
            return []
        if node not in self._known:
            self._known[node] = []  # a function that calls itself adds nothing
            self._known[node] = self._find(function.file, node, deep)
        return self._known[node]

    def _find(self, file: FileAnalysis, node: cst.FunctionDef, deep: int) -> list[Inner]:
        found = []
        for wait, subject in self._candidates_in(file, node):
            value, modes = file.value(subject), _modes(file, wait, node)
            if modes and asks_for(file, value, wait, subject):
                whole = is_copy(file, wait) and not is_reduced(file, wait)
                free = not whole and not is_read_of_old(file, wait)
                goes = free and purpose(file, wait, node, trains=True, read=wait is not subject) is Purpose.GOES
                found.append(Inner(file, node, wait, _parameters(value), _is_there(value), modes, goes, is_returned(file, wait)))
        for wait, subject in sized_by_value(file, node.body):
            value, modes = file.value(subject), _modes(file, wait, node)
            if modes and value.kind in (Kind.TENSOR, Kind.UNKNOWN) and value.place is not Place.CPU:
                found.append(Inner(file, node, wait, _parameters(value), _is_there(value), modes, goes=False, is_returned=False))
        for call in file.inside(node.body, cst.Call):
            called, modes = callee(file, call), _modes(file, call, node)
            if modes and last_name(call.func) == "synchronize":
                found.append(Inner(file, node, call, frozenset(), True, modes, goes=False, is_returned=False))
            if called is None or not modes:
                continue
            handed = arguments(file, called.node, call)
            for inner in self._inside(called, deep - 1):
                names = frozenset(name for each in inner.given if each in handed for name in _parameters(file.value(handed[each])))
                goes = inner.goes and (not inner.is_returned or purpose(file, call, node, trains=True) is Purpose.GOES)
                if (names or inner.is_there) and inner.modes & modes:
                    found.append(replace(inner, given=names, modes=inner.modes & modes, goes=goes, is_returned=is_returned(file, call)))
        return found

    def _candidates_in(self, file: FileAnalysis, function: Node) -> list[tuple[cst.BaseExpression, cst.BaseExpression]]:
        known = self._candidates.get(file.path)
        if known is None:
            known = self._candidates[file.path] = {}
            for pair in candidates(file):
                known.setdefault(file.function(pair[0]), []).append(pair)
        return known.get(function, [])


def _is_there(value: Value) -> bool:
    return any(whereabouts(each) is Place.ACCELERATOR for each in islice(value.lineage(), _MANY))


def _parameters(value: Value) -> frozenset[str]:
    """The parameters that a value is computed from."""
    return frozenset(each.node.name.value for each in value.lineage() if isinstance(each.node, cst.Param))


def _modes(file: FileAnalysis, node: Node, function: cst.FunctionDef) -> frozenset[bool]:
    """In which modes every call of the function gets there: none, if anything but `self.training` decides on it."""
    modes, child = _BOTH, node
    if file.function(node) is not function:
        return frozenset()
    for each in file.ancestors(node):
        if isinstance(each, (cst.If, cst.IfExp)) and child is not each.test and not is_on_accelerator(file, child):
            mode = _mode(each.test)
            if mode is None:
                return frozenset()
            modes &= {mode if child is each.body else not mode}
        elif isinstance(each, (cst.While, cst.Assert)):
            if child is not each.test:
                return frozenset()
        elif isinstance(each, (cst.ExceptHandler, cst.Match, cst.Raise)):
            return frozenset()
        elif isinstance(each, (cst.Try, cst.TryStar)) and child is not each.body:
            return frozenset()
        elif isinstance(each, cst.BooleanOperation) and child is each.right:
            return frozenset()
        elif isinstance(each, (cst.IndentedBlock, cst.SimpleStatementSuite)):
            for earlier in each.body:
                if earlier is child:
                    break
                if file.inside(earlier, cst.Return):
                    return frozenset()
        if each is function:
            break
        child = each
    return modes


def _mode(test: Node) -> bool | None:
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        mode = _mode(test.expression)
        return None if mode is None else not mode
    return True if isinstance(test, cst.Attribute) and test.attr.value == "training" else None

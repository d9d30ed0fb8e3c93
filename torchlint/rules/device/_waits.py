"""Where the host waits for the device in every iteration of a hot loop, though the loop could do without.

What is known to live on the CPU never waits. A loop that has to wait once in an iteration anyway gains nothing from waiting less often.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import libcst as cst

from torchlint.facts.tensors import SYNCHRONISING_METHODS
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._called import PerBatch, on_device, per_batch
from torchlint.rules.device._callees import arguments, callee
from torchlint.rules.device._guards import is_on_accelerator, is_rare
from torchlint.rules.device._hot import HotLoops, Iteration, Loop, last_name
from torchlint.rules.device._inside import Inner, Insides
from torchlint.rules.device._purposes import Purpose, purpose
from torchlint.rules.device._reads import candidates, is_read, is_read_of_old, shown, sized_by_value, waits_for
from torchlint.rules.device._shown import reports
from torchlint.rules.device._totals import RunningTotal, running_total
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Kind, Place

_TAKES_NO_TIME = frozenset({*SYNCHRONISING_METHODS, "detach"})


@dataclass
class Wait:
    """One place where the host waits for a value."""

    file: FileAnalysis
    node: cst.BaseExpression
    """What waits: the call, or the tensor that is printed or branched on."""
    loop: Iteration
    """The hot loop around it, or around the call of the function that it stands in; of a framework's, that function."""
    site: cst.BaseExpression
    """Where it happens as seen from the loop: the wait, or that call."""
    moved: tuple[Node, str] | None
    """What put the value on the device, and what to say of it."""
    inner: Inner | None = None
    """Where the function waits that is called there, if that is in another file."""
    also: list[Wait] = field(default_factory=list)
    """Those in the statements right after it: they find an almost empty queue, and are mended together with it."""

    @property
    def row(self) -> list[Wait]:
        return [self, *self.also]

    @cached_property
    def total(self) -> RunningTotal | None:
        """The total that the value is added to at once, where there is one."""
        return running_total(self.file, self.node, self.loop) if not isinstance(self.loop, cst.FunctionDef) else None

    @property
    def advice(self) -> str:
        """What to do instead, at this place."""
        if self.inner is not None:
            return f"leave the number on the device in `{last_name(self.inner.function.name)}`, and read it every so many steps"
        if self.total is not None:
            return "add up on the device, and read the total once after the loop"
        for each in self.file.ancestors(self.node):
            if isinstance(each, cst.If):
                return "keep the choice on the device with `torch.where`, or make it every so many steps"
            if isinstance(each, cst.AugAssign):
                return "add up detached tensors, and read the total every so many steps or after the loop"
            if isinstance(each, cst.Call) and isinstance(each.func, cst.Attribute) and each.func.attr.value == "step":
                return "step with a value for every so many batches, which is read once"
            if isinstance(each, cst.BaseSuite):
                break
        return "read it every so many steps, or after the loop"

    @property
    def related(self) -> Iterator[tuple[Node, str] | tuple[Node, str, FileAnalysis]]:
        """The further places that belong to it, each with what happens there."""
        if isinstance(self.loop, cst.FunctionDef):
            yield self.loop.name, "called for every batch"
        else:
            yield self.loop.target if isinstance(self.loop, cst.For) else self.loop.test, "in this loop"
        if self.moved is not None:
            yield self.moved
        if self.inner is not None:
            yield self.inner.node, "this waits", self.inner.file
        for each in self.also:
            yield each.node, "waits as well"


@dataclass
class Stall:
    """A hot loop in which the host waits, at one place or several, and need not."""

    loop: Iteration
    waits: list[Wait]
    """In document order, one for each statement or row of them."""

    @property
    def only_adds(self) -> bool:
        """Whether every wait feeds a total that could stay on the device, so that each of them can go by itself."""
        return all(each.total is not None for wait in self.waits for each in wait.row)


def stalls(file: FileAnalysis) -> list[Stall]:
    """The hot loops that wait without need, in document order of their first wait."""
    search = _Search(file)
    for node, subject in candidates(file):
        if next(file.tree.loops(node), None) is None:
            search.look_in_function(node, subject)
        elif _may_wait(file, node, subject) and waits_for(file, search.hot, node, subject):
            search.look_in_loop(node, subject)
    search.follow_calls()
    return search.found()


class _Search:
    """The waits of one file as they are found, and what has to wait anyway."""

    def __init__(self, file: FileAnalysis) -> None:
        self.file = file
        self.hot = HotLoops(file)
        self._insides = Insides(self.hot)
        self._functions: dict[Node, PerBatch | None] = {}
        self._waiting: dict[Iteration, dict[Node, Wait]] = {}
        """By loop and statement: once the host has waited, the next value of the same statement is there."""
        self._bound: set[Node] = set()
        """The loops, and the branches in them, that have to wait anyway."""

    def look_in_function(self, node: cst.BaseExpression, subject: cst.BaseExpression) -> None:
        """A wait outside all loops: the function that it stands in may be run for every batch."""
        found = self._per_batch(self.file.function(node))
        if found is not None and _is_read_for(found, node, subject) and found.goes(node, read=node is not subject):
            self._add(_in_function(found, node, subject))

    def look_in_loop(self, node: cst.BaseExpression, subject: cst.BaseExpression) -> None:
        file, loop = self.file, self.hot.around(node)
        if loop is None:
            return
        what = purpose(file, node, loop, trains=self.hot.trains(loop), read=node is not subject)
        if what is Purpose.STAYS:
            self._bound.add(_branch(file, node, loop))
        elif what is Purpose.GOES:
            self._add(Wait(file, node, loop, node, self.hot.evidence(file.value(subject), node)))

    def follow_calls(self) -> None:
        """What hot loops call in other files may wait there without need."""
        hot: dict[Loop | None, Loop | None] = {None: None}
        for call in self._calls_in_loops():
            innermost = next(self.file.tree.loops(call), None)
            if innermost not in hot:
                hot[innermost] = self.hot.around(call)
            loop = hot[innermost]
            called = callee(self.file, call) if loop is not None else None
            if called is None or loop is None or is_rare(self.file, call, loop):
                continue
            inner = self._insides.waits(call, loop)
            if any(not each.goes for each in inner) or inner and self.file.value(call.func).kind is Kind.MODULE:
                self._bound.add(_branch(self.file, call, loop))
            elif inner and self._per_batch(called.node) is None:  # else it is found where it stands
                given = next(iter(on_device(self.hot, arguments(self.file, called.node, call)).values()), call)
                self._add(Wait(self.file, call, loop, call, self.hot.evidence(self.file.value(given), call), inner[0]))

    def _calls_in_loops(self) -> list[cst.Call]:
        """The calls in loops that may be hot, in document order."""
        loops: list[Loop] = [*self.file.nodes(cst.For), *self.file.nodes(cst.While)]
        calls = {call for loop in filter(self.file.relevance.may_be_hot, loops) for call in self.file.inside(loop, cst.Call)}
        return sorted(calls, key=self.file.tree.order.__getitem__)

    def found(self) -> list[Stall]:
        for loop in self._waiting:
            if not isinstance(loop, cst.FunctionDef):
                self._bound.update(_branch(self.file, each, loop) for each in self._needed(loop))
        for branch in reversed(self.file.nodes(cst.If)):
            around = self.hot.around(branch) if self._is_bound(branch) else None
            if around is not None:
                self._bound.add(_branch(self.file, branch, around))
        stalled = (
            (loop, self._in_rows([wait for wait in waits.values() if self._bound.isdisjoint(self.file.ancestors(wait.site))]))
            for loop, waits in self._waiting.items()
        )
        return [
            Stall(loop, waits)
            for loop, rows in stalled
            if (waits := [wait for wait in rows if not is_read_of_old(self.file, wait.node)])  # those fail by now, which is worse
        ]

    def _in_rows(self, waits: list[Wait]) -> list[Wait]:
        """The waits, with those put to one that follow at once on it: reads of what is there by then, or more calls that wait inside."""
        rows: list[Wait] = []
        last: Node | None = None
        for wait in sorted(waits, key=lambda each: self.file.tree.order[each.node]):
            statement = self.file.statement(wait.node)
            if (
                last is not None
                and _follows_at_once(self.file, statement, last)
                and (_only_reads(wait.node) or wait.inner and rows[-1].inner)
            ):
                rows[-1].also.append(wait)
            else:
                rows.append(wait)
            last = statement
        return rows

    def _is_bound(self, branch: cst.If) -> bool:
        """Whether both ways have to wait."""
        other = branch.orelse
        if branch.body not in self._bound or other is None:
            return False
        return self._is_bound(other) if isinstance(other, cst.If) else other.body in self._bound

    def _needed(self, loop: Loop) -> Iterator[Node]:
        """What waits in every iteration and has to: to time it, to pick by value, to show a tensor."""
        file, hot = self.file, self.hot
        for call in file.inside(loop.body, cst.Call):
            name = last_name(call.func)
            if (
                name == "synchronize"
                or self._insides.picks(call)
                or name != "print"
                and reports(file, call)
                and any(hot.lives_there(value) and value.kind is Kind.TENSOR for value in map(file.value, shown(call)))
            ):
                yield from self._every(call, loop)
        for picked, subject in sized_by_value(file, loop.body):
            value = file.value(subject)
            if hot.lives_there(value) or hot.is_computed_there(value):
                yield from self._every(picked, loop)

    def _every(self, node: Node, loop: Loop) -> Iterator[Node]:
        if self.hot.around(node) is loop and not is_rare(self.file, node, loop):
            yield node

    def _per_batch(self, function: Node) -> PerBatch | None:
        if function not in self._functions:
            self._functions[function] = per_batch(self.file, self.hot, function) if function in self.file.tree.order else None
        return self._functions[function]

    def _add(self, wait: Wait) -> None:
        self._waiting.setdefault(wait.loop, {}).setdefault(self.file.statement(wait.node), wait)


def _is_read_for(function: PerBatch, node: cst.BaseExpression, subject: cst.BaseExpression) -> bool:
    """Whether a function that is run for every batch waits there for what is on the device: of a framework's module, its loss is."""
    file, hot = function.file, function.hot
    if waits_for(file, hot, node, subject):
        return True
    value = file.value(subject)
    if value.kind not in (Kind.TENSOR, Kind.UNKNOWN) or value.place is Place.CPU or not is_read(node):
        return False
    return value.kind is Kind.TENSOR and value.has_graph if function.is_managed else function.is_given(value)


def _in_function(function: PerBatch, node: cst.BaseExpression, subject: cst.BaseExpression) -> Wait:
    file = function.file
    moved = function.hot.evidence(file.value(subject), node)
    call, loop = function.calls[0] if function.calls else (node, function.node)
    return Wait(file, node, loop, call, moved)


def _branch(file: FileAnalysis, node: Node, loop: Loop) -> Node:
    """The innermost branch of the loop that a node stands in, or the loop itself; where nothing is on a device, nothing has to wait."""
    for each in file.ancestors(node):
        if each is loop:
            break
        if isinstance(each, cst.IfExp):
            return each
        if isinstance(each, cst.BaseSuite) and isinstance(file.parent(each), (cst.If, cst.Else)) and not is_on_accelerator(file, each):
            return each
    return loop


def _follows_at_once(file: FileAnalysis, statement: Node, last: Node) -> bool:
    """Whether a statement stands behind another one in its block, and nothing in between gives the device anything to do."""
    block = list(getattr(file.parent(statement), "body", ()))
    if last not in block or statement not in block:
        return False
    between = block[block.index(last) + 1 : block.index(statement)]
    return all(_is_free(file, part) for each in between for part in descendants(each))


def _is_free(file: FileAnalysis, part: Node) -> bool:
    """`seen += x.size(0)`: whether the device has no part in it."""
    if isinstance(part, cst.BaseCompoundStatement):
        return False
    if isinstance(part, cst.Call):
        return file.value(part).kind is Kind.NUMBER
    return not isinstance(part, (cst.BinaryOperation, cst.Comparison)) or file.value(part).kind is not Kind.TENSOR


def _only_reads(node: Node) -> bool:
    """`loss.item()`, `float(loss)`, `losses["total"].item()`: nothing is computed for it on the device."""
    if isinstance(node, cst.Subscript):
        return not any(isinstance(part, (cst.Call, cst.BinaryOperation)) for part in descendants(node))
    if not isinstance(node, cst.Call):
        return False
    parts = [part for each in (node.func, *node.args) for part in descendants(each)]
    computing = (part for part in parts if isinstance(part, (cst.Call, cst.BinaryOperation, cst.Comparison)))
    return all(isinstance(part, cst.Call) and last_name(part.func) in _TAKES_NO_TIME for part in computing)


def _may_wait(file: FileAnalysis, node: Node, subject: Node) -> bool:
    """A cheap look before anything is read: a loop around that may be hot, or a plain read in a file that moves anything at all."""
    loops = list(file.tree.loops(node))
    if any(file.relevance.may_be_hot(loop) for loop in loops):
        return True
    return bool(loops) and node is not subject and any(file.tree.attributes.get(name) for name in ("to", "cuda"))

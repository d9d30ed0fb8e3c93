"""Which loops are hot: those over batches that train, or that bring data to a device; and what says that a value lives there.

A loop over epochs is no loop over batches, even where an epoch is a single step; a loop that plays with an environment needs its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node, descendants, runs_once
from torchlint.values.algebra import whereabouts
from torchlint.values.events import Happens
from torchlint.values.value import Function, Kind, Place, Value

Loop = cst.For | cst.While
Iteration = Loop | cst.FunctionDef
"""What is run for each batch: the body of a loop, or a function that it calls."""

_MANY = 200
"""How many of the values that something was computed from are looked at."""
_FAR = 12
"""Through how many unknown values one is followed back."""
_STEPPED_OTHERWISE = frozenset({Kind.OPTIMIZER, Kind.SCHEDULER, Kind.SCALER, Kind.MODULE, Kind.MANAGER})
_HANDED_TO_OPTIMIZERS = frozenset({Kind.FUNCTION, Kind.OPTIMIZER})


class HotLoops:
    """The hot loops of one file, and where its values live."""

    def __init__(self, file: FileAnalysis) -> None:
        self.file = file
        self._known: dict[Loop, bool] = {}
        self._training: dict[Node, set[Loop]] = {}
        """For each function that was looked at, its loops that train."""
        self._fresh: dict[Node, set[Loop]] = {}
        """The same for loops that make the optimizer that steps in them."""

    def around(self, node: Node) -> Loop | None:
        """The innermost hot loop around a node."""
        return next((loop for loop in self.file.tree.loops(node) if self.is_hot(loop)), None)

    def trains(self, loop: Loop) -> bool:
        """Whether backward runs once in every iteration of this very loop, perhaps in a function that it calls."""
        function = self.file.function(loop)
        known = self._training.get(function)
        if known is None:
            known = self._training[function] = {
                direct
                for event in self.file.flow(function).events.values()
                if event.what is Happens.BACKWARD
                and (direct := next(self.file.tree.loops(event.site), None)) is not None
                and (
                    event.node is event.site or next(event.file.tree.loops(event.node), None) is None
                )  # else the loop over batches is there
            }
        return loop in known

    def lives_there(self, value: Value) -> bool:
        """Whether a value may be on an accelerator: it was moved, or is trained on where the program moves things to one."""
        if value.place is not Place.UNKNOWN:
            return value.place is Place.ACCELERATOR
        return any(each.roots or each.has_graph for each in islice(value.lineage(), _MANY)) and self._first_move is not None

    def is_computed_there(self, value: Value) -> bool:
        """Whether something unknown was computed from what is on a device, as `criterion(outputs, labels)` is."""
        queue = [value]
        for each in queue:
            if each.kind is Kind.UNKNOWN and each.place is Place.UNKNOWN:
                if any(_is_there(source) and source.kind is not Kind.MODULE for source in each.sources):
                    return True
                queue += each.sources[: max(0, _FAR - len(queue))]
        return False

    def evidence(self, value: Value, node: Node) -> tuple[Node, str] | None:
        """What put a value, or what it is computed from, on the device: the last such move before `node`; and what to say of it."""
        order = self.file.tree.order
        there = [each for each in islice(value.lineage(), _MANY) if _is_there(each)]
        moved = [each.node for each in there if isinstance(each.node, cst.Call) and not any(map(_is_there, each.sources))]
        if not moved:
            holders = {id(each) for each in there}
            moved = [
                call for call in self._moves if isinstance(call.func, cst.Attribute) and id(self.file.value(call.func.value)) in holders
            ]
        before = [each for each in moved if each in order and order[each] < order[node]]
        if before:
            return max(before, key=order.__getitem__), "put on the device here"
        return (self._first_move, "the program moves to a device here") if self._first_move is not None else None

    # -- loops -----------------------------------------------------------------------------------------------------------

    def is_hot(self, loop: Loop) -> bool:
        """Whether a loop is one of them."""
        known = self._known.get(loop)
        if known is None:
            known = self._known[loop] = self._find_out(loop)
        return known

    def _find_out(self, loop: Loop) -> bool:
        if runs_once(loop) or self._is_one_batch(loop) or is_written_out(loop) or counts_epochs(loop) or self._starts_over(loop):
            return False
        return (self.trains(loop) or self._brings_batches(loop)) and not self._plays(loop)

    def _is_one_batch(self, loop: Loop) -> bool:
        """Whether the loader takes all of its data as a single batch."""
        parts = (each for each in descendants(loop.iter) if isinstance(each, cst.BaseExpression)) if isinstance(loop, cst.For) else ()
        loaders = (value.node for value in map(self.file.value, parts) if value.kind is Kind.LOADER)
        return any(isinstance(made, cst.Call) and _takes_all(made) for made in loaders)

    def _starts_over(self, loop: Loop) -> bool:
        """Whether every iteration makes an optimizer of its own: it compares models, it does not train one."""
        tree, function = self.file.tree, self.file.function(loop)
        known = self._fresh.get(function)
        if known is None:
            steps = (each for each in self.file.flow(function).events.values() if each.what is Happens.STEP)
            made = (each.target.node for each in steps if each.target is not None and each.target.kind in (Kind.OPTIMIZER, Kind.UNKNOWN))
            around = (next(tree.loops(node), None) for node in made if isinstance(node, cst.Call) and node in tree.order)
            known = self._fresh[function] = {each for each in around if each is not None}
        return loop in known

    def _brings_batches(self, loop: Loop) -> bool:
        """Whether what the loop iterates over is moved to a device in it, or comes from there."""
        if not isinstance(loop, cst.For):
            return False
        values = self.file.flow(self.file.function(loop)).values
        targets = [values[each] for each in names_in(loop.target) if each in values]
        if any(value.place is Place.ACCELERATOR and (value.batch or self._is_generated(loop)) for value in targets):
            return True
        if not any(value.batch for value in targets):
            return False
        return any(self._is_brought(call, targets, values) for call in self._calls.get(loop, ()))

    def _is_generated(self, loop: cst.For) -> bool:
        """Whether a generator of the project yields what the loop gets."""
        calls = (each for each in descendants(loop.iter) if isinstance(each, cst.Call))
        return any(isinstance(self.file.value(call.func).definition, Function) for call in calls)

    def _is_brought(self, call: cst.Call, targets: list[Value], values: dict[Node, Value]) -> bool:
        """Whether a call takes a batch to a device: `x.to(device)`, a helper of the project, or a module that lives there."""
        result = values.get(call)
        if result is None or whereabouts(result) is not Place.ACCELERATOR:
            return False
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in ("to", "cuda"):
            moved = values.get(call.func.value)
            return moved is not None and moved.batch
        called = values.get(call.func)
        first = call.args[:1] if called is not None and called.kind is Kind.MODULE else call.args
        return any(
            any(part is target for target in targets) for arg in first for part in islice(values.get(arg.value, _NOTHING).lineage(), _MANY)
        )

    def _plays(self, loop: Loop) -> bool:
        """Whether the loop steps an environment, or stands in one whose every iteration does."""
        loops = self.file.tree.loops
        around = {loop, *loops(loop)}
        return any(each in around or loop in loops(step) for step in self._environment_steps for each in islice(loops(step), 1))

    @cached_property
    def _environment_steps(self) -> list[cst.Call]:
        return [call for call in self.file.methods("step") if is_environment_step(self.file, call)]

    @cached_property
    def _calls(self) -> dict[Loop, list[cst.Call]]:
        """The calls that stand in a loop, and in none inside it."""
        found: dict[Loop, list[cst.Call]] = {}
        for call in self.file.nodes(cst.Call):
            loop = next(self.file.tree.loops(call), None)
            if loop is not None:
                found.setdefault(loop, []).append(call)
        return found

    # -- moves -----------------------------------------------------------------------------------------------------------

    @cached_property
    def _moves(self) -> list[cst.Call]:
        return [call for call in self.file.methods("to", "cuda") if self.file.value(call).place is Place.ACCELERATOR]

    @cached_property
    def _first_move(self) -> Node | None:
        """The first of the program's moves to a device, a module's if there is one: where it goes, all that is trained goes."""
        order = self.file.tree.order
        ranked = sorted(self._moves, key=lambda call: (not self._moves_module(call), order[call]))
        return next(iter(ranked), None)

    def _moves_module(self, call: cst.Call) -> bool:
        assert isinstance(call.func, cst.Attribute)
        return isinstance(self.file.parent(call), cst.Expr) or self.file.value(call.func.value).kind is Kind.MODULE


def _is_there(value: Value) -> bool:
    return whereabouts(value) is Place.ACCELERATOR


_NOTHING = Value()


def is_environment_step(file: FileAnalysis, call: cst.Call) -> bool:
    """`state, reward, done, info = env.step(action)`: an optimizer's or scheduler's step gives nothing back that anybody would use."""
    if not isinstance(call.func, cst.Attribute) or not call.args:
        return False
    receiver = file.value(call.func.value)
    if receiver.kind in _STEPPED_OTHERWISE or any(file.value(arg.value).kind in _HANDED_TO_OPTIMIZERS for arg in call.args):
        return False
    if receiver.cls is not None and receiver.cls.method("step") is not None:
        return receiver.cls.method("reset") is not None
    if any(each.batch for arg in call.args for each in islice(file.value(arg.value).lineage(), _MANY)):
        return False  # a step of training: it is given a batch
    return not isinstance(file.parent(call), cst.Expr) or "reset" in receiver.uses


def is_written_out(loop: Loop) -> bool:
    """`for name in ("a", "b"):` goes over a few things, not over batches."""
    return isinstance(loop, cst.For) and isinstance(loop.iter, (cst.List, cst.Tuple, cst.Set, cst.Dict))


def _takes_all(loader: cst.Call) -> bool:
    """`DataLoader(data, batch_size=len(data))`"""
    named = {arg.keyword.value: arg.value for arg in loader.args if arg.keyword is not None}
    positional = [arg.value for arg in loader.args if arg.keyword is None]
    data = named.get("dataset", positional[0] if positional else None)
    size = named.get("batch_size", positional[1] if len(positional) > 1 else None)
    if data is None or not isinstance(size, cst.Call) or last_name(size.func) != "len" or len(size.args) != 1:
        return False
    return size.args[0].value.deep_equals(data)


def counts_epochs(loop: Loop) -> bool:
    """`for epoch in range(epochs)`: what is read there is read once per epoch. `range(steps_per_epoch)` counts something else."""
    if isinstance(loop, cst.For) and isinstance(loop.target, cst.Tuple):
        return False
    header: tuple[Node, ...] = (loop.target, loop.iter) if isinstance(loop, cst.For) else (loop.test,)
    words = [last_name(node).lower().rstrip("s") for each in header for node in descendants(each)]
    return any(word.endswith("epoch") for word in words) and not any("per" in word for word in words)


def last_name(node: Node) -> str:
    """`c` of `a.b.c`, `a` of `a`."""
    return str(node.attr.value if isinstance(node, cst.Attribute) else node.value if isinstance(node, cst.Name) else "")


def names_in(target: Node) -> Iterator[cst.Name]:
    """The names that a target binds."""
    if isinstance(target, cst.Name):
        yield target
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from names_in(element.value)

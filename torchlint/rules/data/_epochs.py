"""Samplers that draw an order from the number of an epoch, and the loops that are their epochs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.signatures import signatures
from torchlint.model.conditions import when
from torchlint.model.program import Program
from torchlint.model.training import TrainingLoop
from torchlint.model.training import loops as training_loops
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.data._contents import is_map_style
from torchlint.rules.data._loaders import Loader, loaders
from torchlint.syntax.literals import literal
from torchlint.syntax.names import Binding
from torchlint.syntax.tree import Node
from torchlint.values.binding import bind, parameters_of
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Value

SAMPLER = "torch.utils.data.DistributedSampler"
TOLD = re.compile(r"\bset_epoch\b|\bsampler\.epoch\b")
_SEQUENTIAL = re.compile(r"bptt|hidden|stateful|curriculum", re.IGNORECASE)
"""Words of programs that go through their data in order, on purpose."""
_COUNTING = frozenset({"range", "tqdm.trange", "tqdm.auto.trange", "itertools.count"})


@dataclass(frozen=True, eq=False)
class Epochs:
    """A loop whose every iteration goes through a loader once, in an order that nobody changes."""

    file: FileAnalysis
    loop: cst.For | cst.While
    loader: Loader
    sampler: cst.Call
    is_certain: bool
    """Whether the loader has this sampler on every way to it."""
    iterated: Node
    """How the loop, or the function that it calls, says which loader."""

    @property
    def counter(self) -> cst.Name | None:
        """The variable that counts the epochs."""
        if not isinstance(self.loop, cst.For) or not isinstance(self.loop.target, cst.Name):
            return None
        counted = self.loop.iter
        while isinstance(counted, cst.Call) and counted.args:
            if self._name(counted) in _COUNTING:
                return self.loop.target
            counted = counted.args[0].value  # `tqdm(range(10))`
        return None

    def _name(self, call: cst.Call) -> str | None:
        if isinstance(call.func, cst.Name) and not self.file.names.bindings(call.func):
            return call.func.value
        return self.file.qualname(call.func)

    @property
    def call(self) -> tuple[str, bool] | None:
        """What to ask for `set_epoch` in the loop, and whether it may be None there; None where neither sampler nor loader has a name."""
        given = self.loader["sampler"]
        if isinstance(given, cst.Name) and self.loader.file is self.file and self._sees(given):
            bindings = [each for each in self.file.names.bindings(given) if each.value is not None]
            if self._always(bindings):
                return given.value, _may_be_none(bindings)
        if self.is_certain and isinstance(self.iterated, cst.Name) and self._is_in_loop(self.iterated):
            return f"{self.iterated.value}.sampler", False
        return None

    def _is_in_loop(self, node: Node) -> bool:
        return node in self.file.tree.order and self.file.is_inside(node, self.loop)

    def _sees(self, name: cst.Name) -> bool:
        scope = self.file.names.scope(self.loop).lookup(name.value)
        return scope is not None and scope is self.file.names.scope(name).lookup(name.value)

    def _always(self, bindings: list[Binding]) -> bool:
        """Whether a name has been given the sampler, or None, wherever the loop is reached."""
        known = {each.question: each.arm for each in when(self.file, self.loop)}
        open_questions = []
        for each in bindings:
            if self.file.is_after(each.node, self.loop):
                return False
            open_questions.append([c for c in when(self.file, each.node) if known.get(c.question, ...) != c.arm])
        if len(bindings) == 1:
            return not open_questions[0]
        if len(bindings) != 2 or sum(literal(each.value) is None for each in bindings) != 1:
            return False
        if any(not each for each in open_questions[:1]):
            return True  # None first, and the sampler where there are several processes
        first, second = open_questions
        return len(first) == len(second) == 1 and first[0].question == second[0].question and first[0].arm != second[0].arm


def _may_be_none(bindings: list[Binding]) -> bool:
    values = [each.value for each in bindings]
    ends = [end for each in values if isinstance(each, cst.IfExp) for end in (each.body, each.orelse)]
    return any(literal(each) is None for each in (*values, *ends))


def same_order(file: FileAnalysis) -> Iterator[Epochs]:
    """The epochs of samplers that shuffle, in a program that never says which epoch it is. Each sampler once."""
    if file.is_written(TOLD) or Program(file).managers.here:
        return
    seen: set[Node] = set()
    for training in training_loops(file):
        if not isinstance(training.node, (cst.For, cst.While)) or not training.repeats:
            continue
        for named, value in iterated(training):
            if _is_made_inside(file, value, training.node):
                continue  # with another seed, as far as anybody can tell
            for loader in _made(file, value):
                sampler = loader.given("sampler")
                calls = [each for each in origins(sampler) if _shuffles(loader.file, each)] if sampler is not None else []
                if len(calls) == 1 and calls[0] not in seen:
                    seen.add(calls[0])
                    is_certain = _first(value).node is loader.call and sampler is not None and _first(sampler).node is calls[0]
                    yield Epochs(file, training.node, loader, calls[0], is_certain, named)


def iterated(epochs: TrainingLoop, *, itself: bool = False) -> Iterator[tuple[Node, Value]]:
    """What is iterated over by the loops around a backward, in one iteration of a loop: there, or in the functions that it calls."""
    for event in epochs.happening(Happens.BACKWARD):
        flow: Flow | None = epochs.flow
        arguments: list[dict[int, Value]] = []
        for place in event.places:
            if flow is None or place not in flow.file.tree.order:
                break
            for loop in flow.file.tree.loops(place):
                if loop is epochs.node and not itself:
                    break
                if isinstance(loop, cst.For) and (value := flow.values.get(loop.iter)) is not None:
                    handed = _argument(value, arguments)
                    yield from ((_expression(loop.iter), each) for each in (handed, *_given(epochs.file, handed)))
            followed = flow.followed.get(place) if isinstance(place, cst.Call) else None
            flow, given = followed if followed is not None else (None, {})
            arguments.append(given)


def _argument(value: Value, arguments: list[dict[int, Value]]) -> Value:
    """What was handed over by the outermost call, for a parameter of the innermost function, or for what is computed from it."""
    for given in reversed(arguments):
        value = next((given[id(each)] for each in value.lineage() if id(each) in given), value)
    return value


def _given(file: FileAnalysis, value: Value) -> Iterator[Value]:
    """What an object's class was called with, for a value that its constructor was given."""
    parameters = [each.node for each in value.lineage() if isinstance(each.node, cst.Param) and each.node in file.tree.order]
    for parameter in parameters:
        function = next((each for each in file.ancestors(parameter) if isinstance(each, cst.FunctionDef)), None)
        owner = file.owner(function) if function is not None else None
        if function is None or owner is None or function.name.value != "__init__":
            continue
        for call in file.nodes(cst.Call):
            if isinstance(call.func, cst.Name) and file.class_of(call.func) is owner:
                given = bind(call, parameters_of(function)[1:])[parameter.name.value]
                if given is not None:
                    yield file.value(given)


def _expression(node: Node) -> Node:
    """`loader` in `enumerate(tqdm(loader))`"""
    while isinstance(node, cst.Call) and node.args:
        node = node.args[0].value
    return node


def origins(value: Value) -> list[cst.Call]:
    """The calls that made a value, on every way on which a name got it, those in functions that return it among them."""
    found: dict[cst.Call, None] = {}
    stack, seen = [value], set[int]()
    while stack:
        each = stack.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each.node, cst.Call):
            found.setdefault(each.node)
        if each.original is not None:
            stack.append(each.original)
        stack += each.sources
    return list(found)


def _first(value: Value) -> Value:
    """The value inside the function that made it."""
    while value.original is not None:
        value = value.original
    return value


def _is_made_inside(file: FileAnalysis, value: Value, loop: Node) -> bool:
    """Whether a loader is made in a loop, there or by a function that is called there."""
    calls = {each.call for each in loaders(file)}
    nodes = [each.node for each in value.lineage() if each.original is not None or each.node in calls]
    return any(node in file.tree.order and file.is_inside(node, loop) for node in nodes if node is not None)


def _made(file: FileAnalysis, value: Value) -> Iterator[Loader]:
    """The loaders of this file that a value may be."""
    calls = set(origins(value))
    return (each for each in loaders(file) if each.call in calls)


def _shuffles(file: FileAnalysis, call: cst.Call) -> bool:
    if file.qualname(call.func) != SAMPLER:
        return False
    bound = bind(call, signatures(SAMPLER)[0].parameters)
    return not bound.is_spread and ("shuffle" not in bound or bound.literal("shuffle") is True)


def trained_in_order(file: FileAnalysis) -> Iterator[Loader]:
    """Loaders without a sampler that are trained on in the order of their dataset, which is known to have an index."""
    if _SEQUENTIAL.search(file.text):
        return
    seen: set[Loader] = set()
    for training in training_loops(file):
        for _, value in iterated(training, itself=True):
            for loader in _made(file, value):
                orders = (loader.setting("shuffle"), loader.setting("sampler"), loader.setting("batch_sampler"))
                if loader not in seen and orders[0] in (False, None) and orders[1:] == (None, None) and is_map_style(loader):
                    seen.add(loader)
                    yield loader

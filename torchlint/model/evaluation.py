"""Evaluations: loops, and functions without a backward, that call a module and measure what it yields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.modules import LOSS_MODULES, STATELESS_MODULES
from torchlint.facts.written import word
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node
from torchlint.values.events import Event, Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Graph, Kind, Value

_SWITCHES_GRAD = re.compile("|".join(rf"{word(each)}\b" for each in ("no_grad", "inference_mode", "set_grad_enabled")))
_MODES = (Happens.TRAIN, Happens.EVAL)
_MEASURING = frozenset("item tolist numpy argmax eq ne topk".split())
_DEEP = 2
"""Through how many functions of the project an output is followed."""
_FAR = 200
"""Values that are looked at to find what becomes of an output."""


@dataclass(eq=False)
class Evaluation:
    """Calls of one module whose outputs are measured, and nothing in reach of them runs backward."""

    file: FileAnalysis
    flow: Flow
    scope: Node
    """The outermost loop around them without a backward, or the function if there is none."""
    module: Value
    calls: list[cst.Call]

    @property
    def function(self) -> Node:
        return self.flow.node

    @property
    def builds_graph(self) -> bool:
        """Whether gradients surely are recorded: here, and by whoever calls the function."""
        if not any(self.flow.values[call].has_graph for call in self.calls):
            return False
        if not isinstance(self.function, cst.FunctionDef):
            return True
        is_called_elsewhere = self.file.is_named_elsewhere(self.function.name.value)
        if is_called_elsewhere and self.file.is_written_elsewhere(_SWITCHES_GRAD) or "set_grad_enabled" in self.file.text:
            return False
        return self.file.called_with_gradients(self.function) is True

    @property
    def is_beside_training(self) -> bool:
        """Whether the function runs backward somewhere else."""
        return any(event.what is Happens.BACKWARD for event in self.flow.events.values())

    @property
    def is_without_graph(self) -> bool:
        """Whether no gradients are recorded, as the function itself sees to."""
        return all(self.flow.values[call].graph is Graph.NO for call in self.calls)

    @cached_property
    def switched(self) -> list[Event]:
        """Where the function puts the module into a mode before it is first called, in the order of execution."""
        order = self.file.tree.order
        first = order[self.calls[0]]
        return [each for each in self.flow.events.values() if self._is_mode(each) and order[each.site] < first]

    @property
    def mode(self) -> Event | None:
        """The last of them, if it is reached whenever the module is called."""
        last = self.switched[-1] if self.switched else None
        if last is None:
            return None
        statement = self.file.statement(self.calls[0])
        here = set(map(id, self.flow.when.get(statement, ())))
        return last if set(map(id, last.when)) <= here or last.chain else None

    def _is_mode(self, event: Event) -> bool:
        return event.what in _MODES and event.target is self.module and event.site in self.file.tree.order

    @property
    def may_differentiate(self) -> bool:
        """Whether gradients may be wanted after all: of inputs, by whoever gets the outputs, or by a call that gets the module."""
        inside = self.file.tree.within
        attributes = self.file.tree.attributes
        if any(inside(attributes.get(name, ()), self.function) for name in ("grad", "requires_grad_", "autograd", "retain_grad")):
            return True
        asked = inside(attributes.get("requires_grad", ()), self.function)
        if any(isinstance(self.file.parent(each), cst.AssignTarget) for each in asked):
            return True
        if self.is_handed_on:
            return True
        outputs = {id(self.flow.values[call]) for call in self.calls}
        returned = self.flow.returns
        return returned is not None and any(id(each) in outputs for each in returned.trained())

    @property
    def is_handed_on(self) -> bool:
        """Whether a call that cannot be followed gets the module, and may do anything with it."""
        return any(
            event.what is Happens.OPAQUE and any(each is self.module for each in _given(event)) for event in self.flow.events.values()
        )


def _given(event: Event) -> tuple[Value, ...]:
    """What a call is given, without what its method is called on."""
    count = len(event.node.args) if isinstance(event.node, cst.Call) else 0
    return event.values[-count:] if count else ()


def evaluations(file: FileAnalysis) -> list[Evaluation]:
    """In document order; methods of modules are no evaluations, nor is what a framework calls."""
    return file.once(_evaluations)


def _evaluations(file: FileAnalysis) -> list[Evaluation]:
    found: list[Evaluation] = []
    functions: list[Node] = [file.module, *file.nodes(cst.FunctionDef)]
    for function in functions:
        owner = file.owner(function)
        if owner is not None and (owner.is_module or owner.is_managed) or not file.handles_graphs(function):
            continue
        found += _in_function(file, file.flow(function))
    return sorted(found, key=lambda each: file.tree.order[each.calls[0]])


def _in_function(file: FileAnalysis, flow: Flow) -> Iterator[Evaluation]:
    backwards = [event.site for event in flow.events.values() if event.what is Happens.BACKWARD]
    uses: _Uses | None = None
    found: dict[tuple[Node, int], Evaluation] = {}
    for node, output in flow.values.items():
        if not isinstance(node, cst.Call) or file.function(node) is not flow.node:
            continue
        module = flow.values.get(_called(node))
        if module is None or module.kind is not Kind.MODULE or (module.qualname or "") in STATELESS_MODULES:
            continue
        if (module.qualname or "") in LOSS_MODULES:
            continue
        scope = _scope(file, flow, node, backwards)
        uses = _uses(flow) if uses is None else uses
        if scope is None or not _is_measured(id(output), uses):
            continue
        found.setdefault((scope, id(module)), Evaluation(file, flow, scope, module, [])).calls.append(node)
    order = file.tree.order
    for each in found.values():
        each.calls.sort(key=order.__getitem__)
        yield each


def _called(call: cst.Call) -> Node:
    """What is called: `net` of `net(x)`, and of `net.forward(x)`."""
    func = call.func
    return func.value if isinstance(func, cst.Attribute) and func.attr.value == "forward" else func


def _scope(file: FileAnalysis, flow: Flow, call: cst.Call, backwards: list[Node]) -> Node | None:
    if not backwards:
        return next(reversed(list(file.tree.loops(call))), flow.node)
    free = [loop for loop in file.tree.loops(call) if not any(file.is_inside(each, loop) for each in backwards if each in file.tree.order)]
    return free[-1] if free else None


@dataclass
class _Uses:
    """What a function makes of its values."""

    consumers: dict[int, list[Value]]
    measured: set[int]
    """The values that a number, an array, a choice or a comparison is made of."""


def _uses(flow: Flow, deep: int = _DEEP) -> _Uses:
    found = _Uses({}, set())
    for each in {id(value): value for value in flow.values.values()}.values():
        for source in (*each.sources, *(each.items or ())):
            found.consumers.setdefault(id(source), []).append(each)
    for node, value in flow.values.items():
        if isinstance(node, cst.Comparison):
            found.measured.update(id(each) for each in value.sources)
        elif isinstance(node, cst.Call):
            func = node.func
            if isinstance(func, cst.Attribute) and func.attr.value in _MEASURING and func.value in flow.values:
                found.measured.add(id(flow.values[func.value]))
            elif isinstance(func, cst.Name) and func.value in ("float", "int") or _is_choice(flow, func) or _is_kept(flow, func):
                found.measured.update(id(flow.values[arg.value]) for arg in node.args[:1] if arg.value in flow.values)
            elif deep and node in flow.followed:
                inner, given = flow.followed[node]
                inside = _uses(inner, deep - 1)
                found.measured.update(id(value) for parameter, value in given.items() if _is_measured(parameter, inside))
    return found


def _is_choice(flow: Flow, func: Node) -> bool:
    """`torch.argmax`, `torch.topk`, `torch.max`, and Python's own functions of numbers."""
    path = flow.file.qualname(func) or ""
    return path.startswith("math.") or path.startswith("torch.") and path[6:] in ("argmax", "topk", "eq", "max")


def _is_kept(flow: Flow, func: Node) -> bool:
    """`torch.save`: what lies in a file is differentiated by nobody."""
    return flow.file.qualname(func) == "torch.save"


def _is_measured(output: int, uses: _Uses) -> bool:
    """Whether the value of this identity ends in a number, as far as it is followed."""
    stack, seen = [output], set[int]()
    while stack and len(seen) < _FAR:
        value = stack.pop()
        if value in uses.measured:
            return True
        if value not in seen:
            seen.add(value)
            stack += map(id, uses.consumers.get(value, ()))
    return False

"""Training loops: where backward and an optimizer step meet, what else happens there, and on which paths.

Events come from the flow of the function that holds the loop; helpers and closures called in the loop have already been followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.tree import Node, runs_once
from torchlint.values.events import Event, Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Kind, Value

_OPTIMIZER_NAME = re.compile(r"optim|(^|_)opt($|_|[A-Z0-9])|[a-z]Opt($|_|[A-Z0-9])")


@dataclass
class TrainingLoop:
    """A loop, and everything that happens in one iteration of it."""

    file: FileAnalysis
    node: cst.For | cst.While
    flow: Flow
    events: list[Event]

    def happening(self, what: Happens) -> list[Event]:
        return [event for event in self.events if event.what is what]

    @property
    def steps(self) -> list[Event]:
        """The optimizer steps taken directly in this loop, not in one inside it: one for each optimizer."""
        found: list[Event] = []
        for event in self.happening(Happens.STEP):
            if (
                event.target is not None
                and self.is_direct(event)
                and is_optimizer(event)
                and not any(event.target is each.target for each in found)
            ):
                found.append(event)
        return found

    def backward_of(self, step: Event) -> Event | None:
        """The first backward whose gradients this step uses; None if there is none directly in this loop."""
        order = {id(event): position for position, event in enumerate(self.events)}
        at = order[id(step)]
        direct = [event for event in self.happening(Happens.BACKWARD) if self.is_direct(event)]
        before = [event for event in direct if order[id(event)] < at] or [event for event in direct if event.site is step.site]
        others = [order[id(event)] for event in self.happening(Happens.STEP) if event.target is not step.target and order[id(event)] < at]
        since = max((position for position in others if any(order[id(event)] > position for event in before)), default=-1)
        window = [event for event in before if order[id(event)] > since]
        models = trained_modules(step.target)
        fitting = [
            event for event in window if event.target is None or not models or models & {id(each) for each in event.target.trained()}
        ]
        return next(iter(fitting or window), None)

    def clears(self, step: Event) -> bool:
        """Whether the gradients that this step uses are cleared on any path of an iteration, or may be by code that is not seen."""
        optimizer = step.target
        assert optimizer is not None
        if any(use.startswith("register_step") for use in optimizer.uses):
            return True
        evaluates_often = step.value is not None and (optimizer.qualname or "").endswith(".LBFGS")
        for event in self.happening(Happens.CLEAR):
            if evaluates_often and event.site is not step.site:
                continue  # one step evaluates the closure many times
            if _clears(event.target, optimizer):
                return True
        return self._hands_over(optimizer) or self._calls_hook()

    def _calls_hook(self) -> bool:
        """Whether the iteration calls a method of its own object that is there to be overridden, so that the subclass may clear."""
        owner = self.flow.owner
        if owner is None:
            return False
        overriding = [model for model in self.file.classes() if model is not owner and owner in model.ancestry]
        for call in self.file.nodes(cst.Call):
            name = call.func.attr.value if isinstance(call.func, cst.Attribute) and isinstance(call.func.value, cst.Name) else None
            if name is None or call.func.value.value != "self" or not self.file.is_inside(call, self.node):  # type: ignore[attr-defined]
                continue
            own = owner.method(name)
            if (
                own is not None
                and isinstance(own.node, cst.FunctionDef)
                and _is_empty(own.node)
                or any(_may_clear(model, name) for model in overriding)
            ):
                return True
        return False

    def _hands_over(self, optimizer: Value) -> bool:
        """Whether a call that cannot be followed gets the optimizer, or the object that holds it."""
        owner = self.flow.owner
        for event in self.happening(Happens.OPAQUE):
            for given in event.values:
                if given is optimizer or given.kind is Kind.OBJECT and owner is not None and given.definition is owner:
                    return True
                if given.elem is optimizer or given.items and any(each is optimizer for each in given.items):
                    return True
        return False

    def is_direct(self, event: Event) -> bool:
        """Whether the event happens once per iteration of this loop, rather than in a loop inside it."""
        if next(self.file.tree.loops(event.site), None) is not self.node:
            return False
        return event.node is event.site or next(event.file.tree.loops(event.node), None) is None

    def is_rarer(self, step: Event, backward: Event) -> bool:
        """Whether some iterations run backward and take no step: gradients are accumulated on purpose."""
        shared = {id(each) for each in self._conditions(backward)}
        twins = [event for event in self.happening(Happens.STEP) if event.target is step.target]
        for condition in self._conditions(step):
            if id(condition) not in shared and not self._in_both_branches(condition, twins):
                return True
        return self._leaves_between(backward, step)

    def _conditions(self, event: Event) -> list[cst.If]:
        found = []
        places = [(self.file, event.site)] if event.node is event.site else [(event.file, event.node), (self.file, event.site)]
        for file, node in places:
            for each in file.ancestors(node):
                if each is self.node or isinstance(each, (cst.FunctionDef, cst.Lambda)):
                    break
                if isinstance(each, cst.If) and not file.is_inside(node, each.test):
                    found.append(each)
        return found

    def _in_both_branches(self, condition: cst.If, twins: list[Event]) -> bool:
        def holds(part: Node | None) -> bool:
            return part is not None and any(
                file.is_inside(node, part)
                for event in twins
                for file, node in ((event.file, event.node), (self.file, event.site))
                if part in file.tree.order
            )

        return holds(condition.body) and holds(condition.orelse)

    def _leaves_between(self, backward: Event, step: Event) -> bool:
        for leave in self.file.nodes(cst.Continue):
            if (
                next(self.file.tree.loops(leave), None) is self.node
                and self.file.is_after(leave, backward.site)
                and self.file.is_after(step.site, leave)
            ):
                return True
        return False

    @property
    def runs_once(self) -> bool:
        """Whether there is never a second iteration."""
        return runs_once(self.node)

    @property
    def is_managed(self) -> bool:
        """Whether a framework runs the loop around these steps."""
        owner = self.flow.owner
        return owner is not None and owner.is_managed

    def makes(self, value: Value | None) -> bool:
        """Whether the value is made anew in every iteration."""
        return (
            value is not None
            and value.node is not None
            and value.node in self.file.tree.order
            and self.file.is_inside(value.node, self.node)
        )


def _is_empty(method: cst.FunctionDef) -> bool:
    """`pass`, `...`, a docstring, `raise NotImplementedError`"""
    rows = [small for row in method.body.body for small in (row.body if isinstance(row, cst.SimpleStatementLine) else [row])]
    return all(isinstance(row, (cst.Pass, cst.Raise)) or isinstance(row, cst.Expr) and not isinstance(row.value, cst.Call) for row in rows)


def _may_clear(model: ClassModel, name: str) -> bool:
    """Whether a class has a method of its own of this name that clears gradients."""
    method = model.own_methods.get(name)
    flow = model.file.flow_or_none(method) if method is not None else None
    return flow is not None and any(event.what is Happens.CLEAR for event in flow.events.values())


def receiver(step: Event) -> cst.BaseExpression | None:
    """The expression that stands for the optimizer in `optimizer.step()` or `scaler.step(optimizer)`."""
    call = step.node
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return None
    func = call.func
    given = call.args[0].value if call.args else None
    assert isinstance(step.file, FileAnalysis)
    flow = step.file.flow(step.file.function(call))
    if given is not None and flow.values.get(given) is not None and flow.values[given].kind is Kind.OPTIMIZER:
        return given
    return func.value


def is_optimizer(step: Event) -> bool:
    """Whether what is stepped is known to be an optimizer; of an untyped value of which nothing but `step()` is known, the name decides."""
    target = step.target
    if target is None or target.kind is not Kind.UNKNOWN:
        return target is not None and target.kind is Kind.OPTIMIZER
    expression = receiver(step)
    name = expression.attr.value if isinstance(expression, cst.Attribute) else expression.value if isinstance(expression, cst.Name) else ""
    return bool(_OPTIMIZER_NAME.search(str(name)))


def trained_modules(optimizer: Value | None) -> set[int]:
    """The identities of the modules and tensors whose parameters an optimizer was given; empty if that is not known."""
    if optimizer is None:
        return set()
    return {
        id(each)
        for each in optimizer.lineage()
        if each is not optimizer and (each.kind is Kind.MODULE or each.kind in (Kind.UNKNOWN, Kind.TENSOR) and not each.sources)
    }


def _clears(target: Value | None, optimizer: Value) -> bool:
    if target is None or target is optimizer:
        return True
    if target.kind is Kind.OPTIMIZER:
        # one optimizer made of another, or one of a joined pair, is the same for this question
        return any(each is optimizer for each in target.lineage()) or any(each is target for each in optimizer.lineage())
    models = trained_modules(optimizer)
    if not models:
        return True
    if any(id(each) in models for each in target.lineage()) or any(id(part) in models for part in _parts(target)):
        return True
    return target.kind is Kind.UNKNOWN and not target.uses & {"eval", "train", "parameters"}


def _parts(module: Value) -> Iterator[Value]:
    """What a module of the project holds in its attributes: clearing the module clears its parts."""
    if isinstance(module.definition, ClassModel):
        parts = (module.definition.attribute(name) for model in module.definition.ancestry for name in model.assignments)
        yield from (part for part in parts if part is not None and part.kind is Kind.MODULE)


def loops(file: FileAnalysis) -> list[TrainingLoop]:
    """Every loop in whose iterations both a backward and a step happen."""
    found = []
    every: list[cst.For | cst.While] = [*file.nodes(cst.For), *file.nodes(cst.While)]
    for node in sorted(every, key=file.tree.order.__getitem__):
        function = file.function(node)
        if not file.relevance.reaches_backward(function):
            continue
        flow = file.flow(function)
        inside = [event for event in flow.events.values() if _is_inside(file, event, node)]
        if any(event.what is Happens.BACKWARD for event in inside) and any(event.what is Happens.STEP for event in inside):
            found.append(TrainingLoop(file, node, flow, inside))
    return found


def _is_inside(file: FileAnalysis, event: Event, loop: cst.For | cst.While) -> bool:
    return file.is_inside(event.site, loop.body) or isinstance(loop, cst.While) and file.is_inside(event.site, loop.test)

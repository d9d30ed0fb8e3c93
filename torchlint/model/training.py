"""Training loops: where backward and a step meet, and what happens to the gradients of each optimizer there.

Events come from the flow of the function that holds the loop; helpers and closures called in the loop have already been followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import libcst as cst

from torchlint.model.timeline import Run, Seen, Timeline
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.literals import integer
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node, descendants, runs_once
from torchlint.values import following
from torchlint.values.events import HANDED_ON, Event, Happens
from torchlint.values.flow import Flow
from torchlint.values.gradients import descent, factors
from torchlint.values.value import Kind, Value

_OPTIMIZER_NAME = re.compile(r"optim|(^|_)opt($|_|[A-Z0-9])|[a-z]Opt($|_|[A-Z0-9])")
_OPTIMIZER_CLASS = re.compile(r"Adam|SGD|RMSprop|Adagrad|Adadelta|LBFGS|Lion|LAMB|Lamb|Optim")
"""Optimizers of other packages are called after those of torch, and step like them."""
_AROUND_STEPS = frozenset({Happens.CLIP, Happens.UNSCALE, Happens.UPDATE, Happens.SCHEDULE})
_DISPLAYS = (cst.List, cst.Tuple, cst.Set, cst.Dict)


@dataclass(eq=False)
class TrainingLoop:
    """A loop, and everything that happens in one iteration of it; or a function, and what happens in one call of it outside its loops."""

    file: FileAnalysis
    node: Node
    flow: Flow
    events: list[Event]
    """In the order of execution."""
    clearings: list[Event]
    """Where the function clears gradients, in the loop and around it."""
    _timelines: dict[Value, Timeline] = field(default_factory=dict, init=False, repr=False)

    def happening(self, what: Happens) -> list[Event]:
        return [event for event in self.events if event.what is what]

    @cached_property
    def steps(self) -> list[Event]:
        """The steps taken directly in this loop, not in one inside it: the first of each optimizer, or of each weight stepped by hand."""
        found: list[Event] = []
        for event in self.happening(Happens.STEP):
            if (
                self.is_direct(event)
                and is_optimizer(event)
                and (not is_by_hand(event) or self._descends(event))
                and not any(event.target is each.target for each in found)
            ):
                found.append(event)
        return found

    def _descends(self, step: Event) -> bool:
        """Whether a weight follows its gradient, scaled by what stays the same: sums that are meant are divided by a count."""
        found = descent(step.node)
        scales = factors(*found) if found is not None else None
        if scales is None:
            return False
        given = step.node.args[1:] if isinstance(step.node, cst.Call) else ()
        parts = [each for scale in (*scales, *(arg.value for arg in given)) for each in descendants(scale)]
        names = [each for each in parts if isinstance(each, cst.Name) and each in self.file.tree.order]
        if any(isinstance(each, (cst.Call, cst.Subscript, cst.NamedExpr)) for each in parts):
            return False
        bindings = [binding for name in names for binding in self.file.names.bindings(name)]
        return not any(binding.how is not Binds.PARAMETER and self.file.is_inside(binding.node, self.node) for binding in bindings)

    def timeline(self, optimizer: Value) -> Timeline:
        """What happens to the gradients of one optimizer in an iteration; unknown calls are those that get hold of it.

        A loop inside this one that runs backward adds up gradients on purpose. That counts only where the function clears nowhere.
        """
        known = self._timelines.get(optimizer)
        if known is None:
            known = self._timelines[optimizer] = self._timeline(optimizer)
        return known

    def _timeline(self, optimizer: Value) -> Timeline:
        seen = []
        sites, models = self._sites(optimizer), trained_modules(optimizer)
        sums = not self.clearings and not any(self.is_direct(each) for each in self.happening(Happens.BACKWARD))
        for event in self.events:
            sure = event.target is optimizer or event.what is Happens.BACKWARD and _reaches(event, models)
            if event.what is Happens.CLEAR:
                sure = sure or event.target is not None and models == {id(event.target)}
                if clears(event.target, optimizer) and (sites is None or event.site in sites):
                    seen.append(Seen(event, sure))
            elif event.what is Happens.OPAQUE:
                if self._hands_over(event, optimizer):
                    seen.append(Seen(event, sure=False))
            elif event.what is Happens.REWRITE:
                seen.append(Seen(event, sure=False))
            elif event.what is Happens.LEAVE or event.what is Happens.BACKWARD and sums:
                seen.append(Seen(event, sure))
            elif event.what in (Happens.BACKWARD, Happens.STEP) and self.is_direct(event):
                seen.append(Seen(event, sure))
            elif event.what in _AROUND_STEPS and self.is_direct(event):
                seen.append(Seen(event, self._concerns(event, optimizer, models)))
        return Timeline(seen, self.node, self.flow.depths.get(self.node, 0))

    def _concerns(self, event: Event, optimizer: Value, models: set[int]) -> bool:
        """Whether clipping, unscaling or a scheduler's step surely is about this optimizer: it is named, or there is no other."""
        lineage = list(event.target.lineage()) if event.target is not None else []
        if any(each is optimizer or id(each) in models for each in lineage):
            return True
        alone = all(each.target is optimizer for each in self.happening(Happens.STEP))
        return alone and not any(each.kind is Kind.OPTIMIZER for each in lineage) and not (event.what is Happens.CLIP and models)

    def _sites(self, optimizer: Value) -> set[Node] | None:
        """Where clearing is of use: anywhere, but for an optimizer whose one step evaluates its closure many times."""
        steps = [event for event in self.happening(Happens.STEP) if event.target is optimizer]
        closures = {event.site for event in steps if event.value is not None} & {event.site for event in self.happening(Happens.BACKWARD)}
        return closures if (optimizer.qualname or "").endswith(".LBFGS") and closures else None

    def backward_of(self, run: Run, optimizer: Value) -> Event | None:
        """The first backward whose gradients the optimizer's step uses on this way; None if it takes no step, or steps before it."""
        at = next((index for index, each in enumerate(run.seen) if each.what is Happens.STEP and each.event.target is optimizer), None)
        if at is None:
            return None
        before = [index for index in range(at) if run.seen[index].what is Happens.BACKWARD]
        others = [index for index in range(at) if run.seen[index].what is Happens.STEP]
        since = max((position for position in others if any(index > position for index in before)), default=-1)
        window = [run.seen[index].event for index in before if index > since]
        models = trained_modules(optimizer)
        fitting = [event for event in window if _reaches(event, models)]
        return next(iter(fitting or window), None)

    def may_clear_unseen(self, optimizer: Value) -> bool:
        """Whether hooks, subclasses or whoever got hold of `zero_grad` may clear at any time."""
        if any(use.startswith("register_step") for use in optimizer.uses):
            return True
        models = trained_modules(optimizer)
        held = [optimizer, *(each for each in optimizer.lineage() if id(each) in models)]
        return any(HANDED_ON in each.uses for each in held) or self._calls_hook

    @cached_property
    def _calls_hook(self) -> bool:
        """Whether the iteration calls a method of its own object that is there to be overridden, so that the subclass may clear."""
        owner = self.flow.owner
        if owner is None:
            return False
        overriding = self.file.subclasses.get(owner, [])
        names = {
            each.attr.value
            for each in self.file.tree.within(self.file.nodes(cst.Attribute), self.node)
            if isinstance(each.value, cst.Name) and each.value.value == "self" and isinstance(self.file.parent(each), cst.Call)
        }
        for name in names:
            own = owner.method(name)
            if own is not None and isinstance(own.node, cst.FunctionDef) and _is_empty(own.node):
                return True
            if any(_may_clear(model, name) for model in overriding):
                return True
        return False

    def _hands_over(self, event: Event, optimizer: Value) -> bool:
        """Whether a call that cannot be followed gets the optimizer, or the object that holds it."""
        owner = self.flow.owner
        for given in event.values:
            if given is optimizer or given.kind is Kind.OBJECT and owner is not None and given.definition is owner:
                return True
            if given.elem is optimizer or given.items and any(each is optimizer for each in given.items):
                return True
        return False

    def is_direct(self, event: Event) -> bool:
        """Whether the event happens once per iteration of this loop, rather than in a loop inside it."""
        loops = self.file.tree.loops(event.site)
        own = self.node if isinstance(self.node, (cst.For, cst.While)) else None
        innermost = next(loops, None)
        if innermost is not own and event.what is Happens.STEP and self._is_over_weights(event, innermost):
            innermost = next(loops, None)
        if innermost is not own:
            return False
        inner = [place for place in event.places[1:] if place in event.file.tree.order]
        return all(next(event.file.tree.loops(place), None) is None for place in inner)

    def _is_over_weights(self, event: Event, loop: Node | None) -> bool:
        """`for p in model.parameters(): p.data -= lr * p.grad`"""
        iterated = self.flow.values.get(loop.iter) if isinstance(loop, cst.For) else None
        return event.target is not None and event.target.leaf and iterated is not None and iterated.kind is Kind.PARAMETERS

    @property
    def repeats(self) -> bool:
        """Whether iterations follow one another on the same weights: no loop that always leaves, none over a few named cases."""
        if not isinstance(self.node, (cst.For, cst.While)) or runs_once(self.node):
            return False
        iterated = self.node.iter if isinstance(self.node, cst.For) else None
        if isinstance(iterated, cst.Name):
            binding = self.file.names.definition(iterated)
            iterated = binding.value if binding is not None and binding.value is not None else iterated
        if isinstance(iterated, cst.Call) and iterated.args:
            name = self.file.source(iterated.func).rpartition(".")[2]
            if name in ("range", "islice") and integer(iterated.args[-1].value) == 1:
                return False
            if name in ("product", "permutations", "combinations"):
                return False
            inner = iterated.func.value if isinstance(iterated.func, cst.Attribute) else iterated.args[0].value
            return name not in ("enumerate", "items", "zip", "values", "tqdm") or not isinstance(inner, _DISPLAYS)
        return not isinstance(iterated, _DISPLAYS)

    @property
    def is_managed(self) -> bool:
        """Whether a framework runs the loop around these steps."""
        owner = self.flow.owner
        return owner is not None and owner.is_managed

    def makes(self, step: Event) -> bool:
        """Whether the optimizer, or the model that it trains, is made anew in every iteration."""
        if step.target is None:
            return False
        inside = {step.file.function(each) for each in step.places[1:] if each in step.file.tree.order}
        receivers = [each.func.value for each in step.chain[:1] if isinstance(each.func, cst.Attribute)]
        values = [*step.target.lineage(), *(value for each in receivers if (value := self.flow.values.get(each)) is not None)]
        for value in values:
            node = value.node
            if node is None or isinstance(node, cst.Param):
                continue
            owns = value is step.target or value.kind in (Kind.OPTIMIZER, Kind.MODULE, Kind.OBJECT)
            if owns and node in self.file.tree.order and self.file.is_inside(node, self.node) and not _is_read(node):
                return True
            if owns and node in step.file.tree.order and step.file.function(node) in inside and not _is_read(node):
                return True
        return False


def _reaches(backward: Event, models: set[int]) -> bool:
    """Whether a backward may give gradients to one of these modules and tensors; none stand for unknown ones."""
    return backward.target is None or not models or not models.isdisjoint(id(each) for each in backward.target.trained())


def _is_read(node: Node) -> bool:
    """Whether a value only got known where it was read: `self.optimizer`."""
    return isinstance(node, (cst.Name, cst.Attribute))


def _is_empty(method: cst.FunctionDef) -> bool:
    """`pass`, `...`, a docstring, `raise NotImplementedError`"""
    rows = [small for row in method.body.body for small in (row.body if isinstance(row, cst.SimpleStatementLine) else [row])]
    return all(isinstance(row, (cst.Pass, cst.Raise)) or isinstance(row, cst.Expr) and not isinstance(row.value, cst.Call) for row in rows)


def _may_clear(model: ClassModel, name: str) -> bool:
    """Whether a class has a method of its own of this name that clears gradients."""
    method = model.own_methods.get(name)
    flow = model.file.flow_or_none(method) if method is not None else None
    return flow is not None and any(event.what is Happens.CLEAR for event in flow.events.values())


def receiver(step: Event, file: FileAnalysis) -> tuple[cst.BaseExpression, Node] | None:
    """What stands for the optimizer in this file, in `optimizer.step()` or `scaler.step(optimizer)`, and where it stands so."""
    if is_by_hand(step):
        return None
    for place in step.places:
        if not isinstance(place, cst.Call) or place not in file.tree.order:
            continue
        func, flow = place.func, file.flow(file.function(place))
        given = flow.values.get(place.args[0].value) if place.args else None
        if not isinstance(func, cst.Attribute) or func.attr.value != "step" and place is not step.node:
            continue
        if given is not None and given.kind is Kind.OPTIMIZER:
            return place.args[0].value, place
        holder = flow.values.get(func.value)
        if holder is None or holder.cls is None or holder.kind is Kind.OPTIMIZER:
            return func.value, place
        own = holder.cls.method("zero_grad")
        if own is not None and following.clears(flow, own):
            return func.value, place
    return None


def is_by_hand(step: Event) -> bool:
    """Whether a step is written out: `w -= lr * w.grad`."""
    func = step.node.func if isinstance(step.node, cst.Call) else None
    return not (isinstance(func, cst.Attribute) and func.attr.value == "step")


def is_optimizer(step: Event) -> bool:
    """Whether what is stepped is known to be an optimizer; of an untyped value of which nothing but `step()` is known, the name decides."""
    target = step.target
    if is_by_hand(step):
        return target is not None and target.kind in (Kind.UNKNOWN, Kind.TENSOR)
    if target is None or target.kind is not Kind.UNKNOWN:
        return target is not None and target.kind is Kind.OPTIMIZER
    assert isinstance(step.node, cst.Call) and isinstance(step.node.func, cst.Attribute)
    given = step.node.args[0].value if step.node.args else None
    for expression in (given, step.node.func.value):
        name = (
            expression.attr.value if isinstance(expression, cst.Attribute) else expression.value if isinstance(expression, cst.Name) else ""
        )
        if _OPTIMIZER_NAME.search(str(name)):
            return True
    return False


def is_made_unseen(optimizer: Value) -> bool:
    """Whether an optimizer is made by a call that may make one that clears by itself: of a class that is decorated, or of anything that
    is not called after an optimizer.
    """
    if optimizer.is_joined:
        return any(is_made_unseen(each) for each in optimizer.sources)
    if optimizer.cls is not None:
        return any(each.node.decorators or "step" in _names_bound(each.node) for each in optimizer.cls.ancestry)
    if optimizer.kind is not Kind.UNKNOWN or not isinstance(optimizer.node, cst.Call):
        return False
    if any(each.kind is Kind.OPTIMIZER for each in optimizer.lineage()):
        return False  # made of one that is known
    names = [str(each.value) for each in descendants(optimizer.node.func) if isinstance(each, cst.Name)]
    return "optim" not in names and not (names and (_OPTIMIZER_CLASS.search(names[-1]) or _OPTIMIZER_NAME.search(names[-1])))


def _names_bound(node: cst.ClassDef) -> set[str]:
    """What the body of a class gives values to."""
    rows = [row for line in node.body.body if isinstance(line, cst.SimpleStatementLine) for row in line.body]
    targets = [target.target for row in rows if isinstance(row, cst.Assign) for target in row.targets]
    return {target.value for target in targets if isinstance(target, cst.Name)}


def trained_modules(optimizer: Value) -> set[int]:
    """The identities of the modules and tensors whose parameters an optimizer was given; empty if that is not known."""
    if not _is_known(optimizer):
        return set()
    return {
        id(each)
        for given in _given(optimizer)
        for each in given.lineage()
        if each.kind is Kind.MODULE or each.kind in (Kind.UNKNOWN, Kind.TENSOR) and not each.sources
    }


def _given(optimizer: Value) -> Iterator[Value]:
    """The parameters that an optimizer was made for: its first argument, on every way on which the name may have been bound."""
    if isinstance(optimizer.node, cst.Call):
        yield from optimizer.sources[:1]
    else:
        for each in optimizer.sources:
            yield from _given(each)


def _is_known(optimizer: Value) -> bool:
    """Whether it is known where the optimizer comes from, on every way on which the name may have been bound."""
    if optimizer.kind is not Kind.OPTIMIZER:
        return False
    if isinstance(optimizer.node, cst.Call):
        return optimizer.qualname is not None or optimizer.cls is not None
    return bool(optimizer.sources) and all(_is_known(each) for each in optimizer.sources if each.kind is not Kind.NONE)


def clears(target: Value | None, optimizer: Value) -> bool:
    """Whether clearing the target may clear what the optimizer steps with."""
    if optimizer.kind is Kind.TENSOR and optimizer.fresh:  # a weight of no module, stepped by hand
        return target is None or target is optimizer or target.kind is not Kind.MODULE
    if target is None or target is optimizer or target.kind is Kind.OBJECT:
        return True
    if target.kind is Kind.OPTIMIZER:
        # one optimizer made of another, or one of a joined pair, is the same for this question
        related = _is_made_of(target, optimizer) or _is_made_of(optimizer, target)
        return related or bool(trained_modules(target) & trained_modules(optimizer))  # or they share weights
    models = trained_modules(optimizer)
    if not models:
        return True
    if any(id(each) in models for each in target.lineage()) or any(id(part) in models for part in _parts(target)):
        return True
    if target.kind is Kind.MODULE and any(_is_made_of(each, target) for each in optimizer.lineage() if each.kind is Kind.MODULE):
        return True
    return target.kind is Kind.UNKNOWN and not target.uses & {"eval", "train", "parameters"}


def _is_made_of(value: Value, other: Value) -> bool:
    """Whether one thing is the other or is made of it. A closure may know the one that the loop around it made when it was first read."""
    made = other.node if isinstance(other.node, cst.Call) else None
    return any(each is other or made is not None and each.node is made and each.kind is other.kind for each in value.lineage())


def _parts(module: Value) -> Iterator[Value]:
    """What a module of the project holds in its attributes: clearing the module clears its parts."""
    if isinstance(module.definition, ClassModel):
        parts = (module.definition.attribute(name) for model in module.definition.ancestry for name in model.assignments)
        yield from (part for part in parts if part is not None and part.kind is Kind.MODULE)


def loops(file: FileAnalysis) -> list[TrainingLoop]:
    """Every loop in whose iterations both a backward and a step happen, in document order."""
    return file.once(_loops)


def _loops(file: FileAnalysis) -> list[TrainingLoop]:
    found = []
    every: list[cst.For | cst.While] = [*file.nodes(cst.For), *file.nodes(cst.While)]
    by_function: dict[Node, list[cst.For | cst.While]] = {}
    for node in every:
        by_function.setdefault(file.function(node), []).append(node)
    for function, nodes in by_function.items():
        flow = file.flow(function)
        clearings = [event for event in flow.events.values() if event.what is Happens.CLEAR]
        for node, inside in _by_loop(file, flow, nodes).items():
            kinds = {event.what for event in inside}
            if Happens.BACKWARD in kinds and Happens.STEP in kinds:
                found.append(TrainingLoop(file, node, flow, inside, clearings))
    return sorted(found, key=lambda loop: file.tree.order[loop.node])


def calls(file: FileAnalysis) -> list[TrainingLoop]:
    """Every function that runs backward and takes a step outside of loops: what a loop around its calls does in one iteration."""
    return file.once(_calls)


def _calls(file: FileAnalysis) -> list[TrainingLoop]:
    found = []
    functions: list[Node] = [file.module, *file.nodes(cst.FunctionDef)]
    for function in functions:
        if file.relevance.reaches_backward(function):
            flow = file.flow(function)
            training = TrainingLoop(file, function, flow, list(flow.events.values()), [])
            training.clearings = training.happening(Happens.CLEAR)
            if training.steps and any(map(training.is_direct, training.happening(Happens.BACKWARD))):
                found.append(training)
    return found


def _by_loop(file: FileAnalysis, flow: Flow, nodes: list[cst.For | cst.While]) -> dict[cst.For | cst.While, list[Event]]:
    """The events of a function by the loops that they happen in; a generator that is iterated over runs between the iterations."""
    found: dict[cst.For | cst.While, list[Event]] = {}
    iterated: dict[Node, cst.For] = {}
    for node in nodes:
        value = flow.values.get(node.iter) if isinstance(node, cst.For) else None
        if value is not None and isinstance(value.node, cst.Call) and isinstance(node, cst.For):
            iterated[value.node] = node
    for event in flow.events.values():
        for loop in file.tree.loops(event.site):
            found.setdefault(loop, []).append(event)
        if event.what in (Happens.CLEAR, Happens.OPAQUE):
            statement = iterated.get(event.site) or file.statement(event.site)
            if isinstance(statement, cst.For) and (event.site in iterated or file.is_inside(event.site, statement.iter)):
                found.setdefault(statement, []).append(event)
    return found

"""Gradients that are carried from one iteration into the next: on which ways nobody clears them, and whether that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.model.timeline import Run
from torchlint.model.training import TrainingLoop, clears, is_by_hand, is_made_unseen
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Condition, Event, Happens, is_finiteness
from torchlint.values.gradients import leaf
from torchlint.values.value import Kind, Value

_NOT_FINITE = re.compile(r"(^|_)(nan|nans|inf|infs|finite|overflow)($|_)", re.IGNORECASE)
_ASKS = frozenset("isinstance issubclass hasattr getattr callable bool int float str type".split())
_COUNTING = (cst.Modulo, cst.FloorDivide, cst.BitAnd)


@dataclass
class Carried:
    """A step whose gradients still hold those of the iteration before."""

    loop: TrainingLoop
    step: Event
    """Its step on the first such way."""
    backwards: list[Event]
    """The first backward of every way on which nobody clears."""
    always_steps: bool
    """No iteration runs backward without a step."""
    is_rewritten: bool
    """Gradients are written to between backward and the step: clipped, averaged."""

    @property
    def node(self) -> Node:
        """Where the first of them stands in the loop's file."""
        first = self.backwards[0]
        return first.node if first.file is self.loop.file else first.site

    @property
    def by_hand(self) -> bool:
        """Whether the step is written out: `w -= lr * w.grad`."""
        return is_by_hand(self.step)

    @property
    def weight(self) -> str | None:
        """What is stepped by hand, if it has a name before the step."""
        node = self.step.node
        changed = node.target if isinstance(node, cst.AugAssign) else node.func.value if isinstance(node, cst.Call) else None  # type: ignore[attr-defined]
        if changed is None or self.step.chain or next(self.loop.file.tree.loops(node), None) is not self.loop.node:
            return None
        return self.loop.file.source(leaf(changed))

    def clearing_by_hand(self, weights: list[str]) -> str | None:
        """The statement that clears weights which are stepped by hand, or the module over whose parameters a loop steps."""
        if weights:
            return f"{'.grad = '.join(weights)}.grad = None"
        around = next(self.loop.file.tree.loops(self.step.site), None)
        made = around.iter if isinstance(around, cst.For) else None
        if isinstance(made, cst.Call) and isinstance(made.func, cst.Attribute) and made.func.attr.value == "parameters" and not made.args:
            return f"{self.loop.file.source(made.func.value)}.zero_grad()" if not self.step.chain else None
        return None

    @property
    def elsewhere(self) -> Iterator[tuple[Event, str]]:
        """Where the gradients are cleared, and why that does not help."""
        optimizer = self.step.target
        assert optimizer is not None
        tree = self.loop.file.tree
        around = set(tree.loops(self.loop.node))
        inside = {id(event) for event in self.loop.events}
        for event in self.loop.clearings:
            if event.target is None or not clears(event.target, optimizer):
                continue
            if id(event) in inside:
                is_branch = len(event.when) > self.loop.flow.depths.get(self.loop.node, 0)
                yield (
                    event,
                    "cleared here, on the other branch only" if is_branch else "cleared here, once for all evaluations of the closure",
                )
            elif any(each in around for each in tree.loops(event.site)):
                yield event, "cleared here, once for all iterations of the inner loop"
            elif tree.order[event.site] < tree.order[self.loop.node]:
                yield event, "cleared here, once before the loop"

    @property
    def is_certain(self) -> bool:
        """Whether an optimizer of torch, and nobody else, steps with what this very iteration adds to, in full and as it is."""
        is_alone = len(self.loop.steps) == 1 and self.always_steps and all(map(self.loop.is_direct, self.backwards))
        is_alone = is_alone and not any(each.chain for each in (*self.backwards, self.step))
        return is_alone and not self.is_rewritten and self.step.target is not None and self.step.target.kind is Kind.OPTIMIZER

    def is_visible(self, step: Node) -> bool:
        """Whether the names of the function that a step stands in are those where backward is called, too."""
        file = self.loop.file
        home = file.function(step)
        return file.function(self.node) is home or any(each is home for each in file.ancestors(self.node))

    def _around(self, node: Node) -> Node:
        """The outermost loop inside this one that a node stands in, or the node itself: what such a loop adds up is not cleared in it."""
        around: list[Node] = list(self.loop.file.tree.loops(node))
        at = around.index(self.loop.node) if self.loop.node in around else 0
        return around[at - 1] if at else node

    def place(self) -> Node | None:
        """The statement before which clearing helps on every one of these ways."""
        file = self.loop.file
        nodes = [self._around(event.node if event.file is file else event.site) for event in self.backwards]
        first = min(nodes, key=file.tree.order.__getitem__)
        child: Node = first
        for above in file.ancestors(first):
            if isinstance(above, (cst.IndentedBlock, cst.Module)) and all(file.is_inside(each, above) for each in nodes):
                return child if len(nodes) > 1 else first
            if above is self.loop.node:
                return None
            child = above
        return None


def carried(loop: TrainingLoop) -> Iterator[Carried]:
    """The steps of the loop, one for each optimizer, that use gradients nobody has cleared."""
    if loop.is_managed or not loop.repeats:
        return
    for step in loop.steps:
        optimizer = step.target
        if optimizer is None or loop.makes(step) or loop.may_clear_unseen(optimizer) or is_made_unseen(optimizer):
            continue
        timeline = loop.timeline(optimizer)
        if not timeline.has(Happens.BACKWARD):
            continue
        runs = timeline.runs(Happens.BACKWARD, Happens.STEP, Happens.CLEAR, Happens.REWRITE, Happens.OPAQUE)
        if runs is not None:
            yield from _judged(loop, optimizer, [run for run in runs if not run.left])


def _judged(loop: TrainingLoop, optimizer: Value, runs: list[Run]) -> Iterator[Carried]:
    clearing = [run for run in runs if run.has(Happens.CLEAR, Happens.OPAQUE) or _keeps(run)]
    others = [run for run in runs if run not in clearing]
    waiting = [run for run in others if run.has(Happens.BACKWARD) and not _steps(run, optimizer)]
    backwards: list[Event] = []
    steps: list[Event] = []
    for run in others:
        backward = loop.backward_of(run, optimizer)
        if backward is None or _is_meant(loop, run, clearing, waiting):
            continue
        if not any(each.node is backward.node and each.site is backward.site for each in backwards):
            backwards.append(backward)
            steps += [each.event for each in run.happening(Happens.STEP) if each.event.target is optimizer]
    if backwards:
        order = loop.file.tree.order
        rewritten = any(run.has(Happens.REWRITE) for run in runs)
        yield Carried(loop, steps[0], sorted(backwards, key=lambda each: order[each.site]), not waiting, rewritten)


def _keeps(run: Run) -> bool:
    """Whether gradients are written to that no backward has just added to: what is in them is carried on purpose, as momentum is."""
    trained = False
    for each in run.seen:
        if each.what is Happens.REWRITE and not trained:
            return True
        if each.what in (Happens.BACKWARD, Happens.STEP):
            trained = each.what is Happens.BACKWARD
    return False


def _steps(run: Run, optimizer: Value) -> bool:
    return any(each.what is Happens.STEP and each.event.target is optimizer for each in run.seen)


def _is_meant(loop: TrainingLoop, run: Run, clearing: list[Run], waiting: list[Run]) -> bool:
    """Whether another iteration clears under a condition of its own, or waits with the step until enough gradients are added up."""
    trained = [each.event for each in run.happening(Happens.BACKWARD, Happens.STEP)]
    for other in clearing:
        if [each.event for each in other.happening(Happens.BACKWARD, Happens.STEP)] == trained:
            return True
        if any(may_alternate(loop, each) for each in run.differences(other)):
            return True
    for other in waiting:
        asked = run.differences(other)
        if asked and all(may_alternate(loop, each) for each in asked):
            return True
    return False


# -- conditions ----------------------------------------------------------------------------------------------------------


def may_alternate(loop: TrainingLoop, condition: Condition) -> bool:
    """Whether a condition may come out one way in one iteration and the other way in the next, as part of a plan: a counter.

    What stays as it is while the loop runs does not; nor does the question whether a number is finite make a plan.
    """
    test = condition.test
    if isinstance(test, (cst.Try, cst.TryStar)):
        return False
    if isinstance(test, cst.Match):
        return not _stays(loop, condition, test.subject)
    return any(not _is_about_finiteness(each) and not _stays(loop, condition, each) for each in _parts(test))


def _parts(test: Node) -> Iterator[Node]:
    if isinstance(test, cst.BooleanOperation):
        yield from _parts(test.left)
        yield from _parts(test.right)
    elif isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        yield from _parts(test.expression)
    else:
        yield test


def _is_about_finiteness(test: Node) -> bool:
    for each in descendants(test):
        if isinstance(each, cst.Call) and is_finiteness(each.func):
            return True
        if isinstance(each, cst.Name) and _NOT_FINITE.search(each.value):
            return True
    return False


def _stays(loop: TrainingLoop, condition: Condition, test: Node) -> bool:
    """Whether nothing that the test names changes while the loop runs."""
    for each in descendants(test):
        if isinstance(each, cst.BinaryOperation) and isinstance(each.operator, _COUNTING):
            return False
        if isinstance(each, cst.Call) and not (isinstance(each.func, cst.Name) and each.func.value in _ASKS):
            return False
        if isinstance(each, cst.Attribute) and (each.attr.value.startswith("sync_grad") or _is_set(loop, each.attr.value)):
            return False
        if isinstance(each, (cst.NamedExpr, cst.Await)):
            return False
    names = [each for each in descendants(test) if isinstance(each, cst.Name) and each.value not in _ASKS]
    attributes = {id(each.attr) for each in descendants(test) if isinstance(each, cst.Attribute)}
    return all(_is_fixed(loop, condition, each) for each in names if id(each) not in attributes)


def _is_set(loop: TrainingLoop, attribute: str) -> bool:
    """Whether an attribute of this name is set outside `__init__`."""
    for each in loop.file.tree.attributes.get(attribute, ()):
        above = loop.file.parent(each)
        if isinstance(above, (cst.AssignTarget, cst.AugAssign, cst.AnnAssign)) and above.target is each:
            function = loop.file.function(each)
            if not (isinstance(function, cst.FunctionDef) and function.name.value in ("__init__", "__post_init__")):
                return True
    return False


def _is_fixed(loop: TrainingLoop, condition: Condition, name: cst.Name) -> bool:
    """Whether a variable is bound outside the loop, or a parameter that gets such a variable."""
    file = loop.file
    value = condition.values.get(name)
    for call, given in condition.calls:
        if value is None or id(value) not in given:
            break
        value = given[id(value)]
        argument = next((arg.value for arg in call.args if arg.value is value.node), None)
        if argument is not None and call in file.tree.order:
            return isinstance(argument, (cst.Name, cst.Integer, cst.SimpleString)) and _is_bound_outside(loop, argument)
    if condition.calls and value is not None and isinstance(value.node, cst.Param):
        return True  # nobody gives it: the default
    if name not in file.tree.order:
        return value is not None and isinstance(value.node, cst.Param)
    if condition.calls and value is condition.values.get(name):
        return file.names.scope(name).lookup(name.value) is file.names.module
    return _is_bound_outside(loop, name)


def _is_bound_outside(loop: TrainingLoop, node: Node) -> bool:
    if not isinstance(node, cst.Name):
        return True
    bindings = loop.file.names.bindings(node)
    return all(binding.how is Binds.PARAMETER or not loop.file.is_inside(binding.node, loop.node) for binding in bindings)

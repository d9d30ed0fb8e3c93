"""What is kept from one iteration to the next, and what becomes of its graph: differentiated, spent, out of sight, or only measured.

Totals, containers and meters each stand in a module of their own; judging is left to the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.tensors import CASTS, REDUCTIONS, VIEWS
from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.autograd import _presence as presence
from torchlint.rules.autograd._backward import frees
from torchlint.rules.autograd._escape import escapes, is_confined, root
from torchlint.rules.autograd._lifetimes import rebinds, renewals, same
from torchlint.syntax.file import SourceFile
from torchlint.syntax.tree import Node
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Kind, Value

_PASSING = frozenset("to cpu cuda reduce gather gather_for_metrics".split())


Related = tuple[cst.CSTNode, str] | tuple[cst.CSTNode, str, SourceFile]


def settled(file: FileAnalysis, node: Node) -> Value:
    """What is known of an expression by the end of its function."""
    value = file.value(node)
    value.settle()
    return value


def carries(file: FileAnalysis, node: Node) -> bool:
    """Whether an expression yields a graph, or what holds one, in a function where something is trained or evaluated.

    Elsewhere it is on its way to somebody who does, or it is a parameter that is sorted or moved.
    """
    value = settled(file, node)
    return (value.has_graph or value.holds_graph) and file.handles_graphs(file.function(node))


@dataclass
class Kept:
    """A value that goes into something that lives on."""

    file: FileAnalysis
    node: Node
    """The statement or call that keeps it."""
    target: cst.BaseExpression
    """The total or the container."""
    value: cst.BaseExpression
    """What is added or stored."""
    loop: Node
    """The loop whose iterations it outlives, or the function that is called again and again."""

    @property
    def through(self) -> str:
        """How it gets there, where the statement does not show it."""
        return ""

    @property
    def second(self) -> Related | None:
        """The place where it is kept, where that is another one."""
        return None

    @cached_property
    def flow(self) -> Flow:
        return self.file.flow(self.file.function(self.node))

    @cached_property
    def loops(self) -> list[Node]:
        """All loops whose iterations it outlives."""
        around = self.file.tree.loops(self.node)
        return [
            self.loop,
            *(each for each in around if each is not self.loop and not rebinds(self.file, each, self.target, before=self.node)),
        ]

    @cached_property
    def kept(self) -> Value:
        """What is known of the value."""
        return settled(self.file, self.value)

    @cached_property
    def into(self) -> Value:
        """What is known of the total after the addition, or of the container."""
        return Value()

    @property
    def may_be_nothing(self) -> bool:
        """Whether what is kept may be no tensor now and then: None, or the plain 0 that an empty sum is.

        Of what an unknown function returns, a backward proves that it is one; where it does not always run, it proves nothing.
        """
        if not self.is_spent and any(each.roots and not each.pure and not self._is_proved(each) for each in self.kept.trained()):
            return True
        return self.kept.optional and not (isinstance(self.value, cst.Name) and presence.is_present(self.file, self.value))

    def _is_proved(self, value: Value) -> bool:
        """Whether some backward from the value runs wherever the value was made: no condition stands around it alone."""
        order, made = self.file.tree.order, value.node
        return made in order and any(
            call in order and all(self.file.is_inside(made, each) for each in self.file.ancestors(call) if isinstance(each, cst.If))
            for call in value.roots
        )

    @property
    def is_doubtful(self) -> bool:
        """Whether it is a part of what some model returned, and nothing shows that this part is what carries the graph.

        `loss, accuracy = model(x, y)`: what is computed with further, or goes backward, is a tensor with a graph; the rest may be anything.
        """
        value = self.kept
        while not value.part and value.pure and isinstance(value.node, (cst.Call, cst.BinaryOperation)):
            carriers = [each for each in value.sources if each.kind is not Kind.NUMBER]
            if len(carriers) != 1 or isinstance(value.node, cst.Call) and not _passes_on(value.node):
                return False
            value = carriers[0]
        return value.part and (not value.differentiated or self._is_weight(value))

    def _is_weight(self, part: Value) -> bool:
        """Whether all that leads from it to a backward is multiplied by another part: one of the factors brings the graph, either may."""
        uses = [each for each in self.flow.values.values() if part in each.sources and each.differentiated and each.part is False]
        return bool(uses) and all(
            isinstance(each.node, cst.BinaryOperation)
            and isinstance(each.node.operator, cst.Multiply)
            and any(other is not part and other.part for other in each.sources)
            for each in uses
        )

    @cached_property
    def backwards(self) -> list[Node]:
        """The backward calls that run through the value in the same iteration and leave nothing to differentiate again."""
        carrying = (value for value in self.kept.trained() if value.has_graph and value.kind in (Kind.TENSOR, Kind.UNKNOWN))
        return [call for value in carrying for call in value.differentiated if self._frees(call)]

    @property
    def is_spent(self) -> bool:
        """Whether backward has run through the value, whatever branches the iteration took: its graph can serve nobody any more."""
        return any(self._is_certain(call) for call in self.backwards)

    def _frees(self, call: Node) -> bool:
        if call not in self.file.tree.order or not any(self.file.is_inside(call, loop) for loop in self.loops):
            return False
        return frees(self.flow, call)

    def _is_certain(self, call: Node) -> bool:
        """Whether backward ran wherever the value is kept: in both branches, or in the branch that keeps it."""
        inner: Node = call
        for around in self.file.ancestors(call):
            if around in self.loops:
                return True
            if isinstance(around, cst.If) and not self.file.is_inside(self.node, inner):
                other = around.orelse if inner is around.body else around.body
                if other is None or inner is around.test or not any(self.file.is_inside(each, other) for each in self.backwards):
                    return False
            inner = around
        return True

    @property
    def is_windowed(self) -> bool:
        """Whether some iterations start it afresh: what is kept is bounded."""
        return rebinds(self.file, self.loop, self.target)

    @property
    def is_bounded(self) -> bool:
        """Whether it is started afresh wherever the optimizer steps: it spans no more than one window of accumulated gradients."""
        loops = self.file.tree.loops
        steps = [each.site for each in self.flow.events.values() if each.what is Happens.STEP and each.site in self.file.tree.order]
        around = [each for each in loops(self.node) if each is not self.loop and self.file.is_inside(self.loop, each)]
        stepping = {next(loops(step), None) for step in steps}
        if any(each in stepping and rebinds(self.file, each, self.target, before=self.node) for each in around):
            return True  # made anew for each step, which all iterations of the inner loop lead to
        return any(
            isinstance(around, cst.If) and any(self.file.is_inside(step, around) for step in steps)
            for place in renewals(self.file, self.loop, self.target)
            for around in self.file.ancestors(place)
            if self.file.is_inside(around, self.loop) and around is not self.loop
        )

    @property
    def is_differentiated(self) -> bool:
        """Whether backward runs from the total or container, or from something computed from it."""
        name = root(self.target)
        whole = (self.flow.values.get(each) for each in self.file.references(name)) if name is not None and name is not self.target else ()
        if any(value is not None and value.is_tensor and value.differentiated for value in whole):
            return True  # `rows[i][j] = x; rows.sum().backward()`
        before = self.flow.values.get(self.target)
        return bool(self.into.differentiated) or before is not None and before is not self.kept and bool(before.differentiated)

    @property
    def is_recorded(self) -> bool:
        """Whether gradients are recorded where it is kept: a sum made without them has no graph."""
        if not self.backwards and any(
            arg.keyword is not None and arg.keyword.value == "volatile" for arg in self.file.inside(self.flow.node, cst.Arg)
        ):
            return False  # what torch before 0.4 had for no_grad
        return callers.records(self.file, self.node) is not False

    @cached_property
    def escapes(self) -> bool:
        """Whether code that is not seen may get hold of the total or container."""
        return escapes(self.file, self.flow, self.target, self.into)

    @cached_property
    def is_confined(self) -> bool:
        """Whether every use of the total or container is seen, and serves as well without a graph: freed ones may serve a backward yet."""
        return not self.escapes and is_confined(self.file, self.target)

    @property
    def is_fed_back(self) -> bool:
        """Whether the value was computed from what the total or container held: what enters the next loss is no record of the last ones."""
        trained = {id(each) for each in self.kept.trained() if each is not self.kept}
        return any(
            id(self.flow.values.get(each)) in trained
            for each in self.file.inside(self.loop, type(self.target))
            if same(each, self.target) or each.deep_equals(self.target)
        )

    @property
    def is_awaited(self) -> bool:
        """Whether a backward outside the loop goes through the value: until then its graph is needed."""
        carrying = (value for value in self.kept.trained() if value.has_graph and value.kind in (Kind.TENSOR, Kind.UNKNOWN))
        calls = [call for each in carrying for call in each.differentiated]
        return any(call not in self.file.tree.order or not any(self.file.is_inside(call, loop) for loop in self.loops) for call in calls)

    @property
    def is_measured(self) -> bool:
        """Whether it is kept batch by batch while a model is evaluated, or the loop trains only now and then: it is looked at, no more."""
        flow, file = self.flow, self.file
        if not isinstance(self.loop, cst.For):
            return False
        owner = file.owner(flow.node)
        if self.backwards and (owner is None or not owner.is_managed):
            return self._runs_over_batches(self.loop)
        switched = [each.site for each in flow.events.values() if each.what is Happens.EVAL and each.site in file.tree.order]
        before = any(file.is_after(self.loop, site) and file.function(site) is flow.node for site in switched)
        return before and self._runs_over_batches(self.loop)

    def _runs_over_batches(self, loop: cst.For) -> bool:
        """Whether the loop takes batches from a loader, moves them to a device, or a namesake of what it runs over is trained on."""
        iterated = _iterated(loop.iter)
        if any(each.kind is Kind.LOADER for each in (self.flow.values.get(loop.iter) or Value()).lineage()):
            return True
        moved = (each.value for name in ("to", "cuda") for each in self.file.attributes_inside(loop, name))
        if any((self.flow.values.get(each) or Value()).batch for each in moved):
            return True
        return iterated is not None and any(
            other is not loop and same(_iterated(other.iter) or loop, iterated) and self.file.attributes_inside(other, "backward")
            for other in self.file.nodes(cst.For)
        )


def _iterated(node: Node) -> Node | None:
    """`loader` in `enumerate(tqdm(loader))`"""
    while isinstance(node, cst.Call) and node.args:
        node = node.args[0].value
    return node if isinstance(node, (cst.Name, cst.Attribute)) else None


def _passes_on(call: cst.Call) -> bool:
    """`correct.sum()`, `kept.cpu()`: as good for whole numbers as for the output of a network."""
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    return name in _PASSING or name in REDUCTIONS or name in CASTS or name in VIEWS

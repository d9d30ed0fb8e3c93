"""What happens in a function, as far as training is concerned: the events that the flow model notes on its way, and under what."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import libcst as cst

from torchlint.syntax.file import SourceFile
from torchlint.syntax.tree import Node, children
from torchlint.values.value import Kind, Value

_SAME_AGAIN = frozenset("isinstance issubclass hasattr getattr callable len bool int float str type".split())
"""Functions of Python that answer the same when they are asked the same a second time."""
_FINITE = frozenset("isfinite isnan isinf isneginf isposinf is_nan is_inf".split())
_NEGATED: dict[type[Node], type[Node]] = {cst.IsNot: cst.Is, cst.NotEqual: cst.Equal, cst.NotIn: cst.In}
_LONGEST_CHAIN = 4
_NEVER_NONE = frozenset({Kind.SCALER, Kind.OPTIMIZER, Kind.SCHEDULER})


class Happens(Enum):
    """What an event does to the training state."""

    __hash__ = object.__hash__  # Python's enumerations hash their names, in Python; they live in the keys of many dictionaries

    BACKWARD = "backward"
    STEP = "step"
    """Weights follow their gradients: an optimizer's step, or `w -= lr * w.grad` (then `target` is the tensor)."""
    CLEAR = "clear gradients"
    REWRITE = "rewrite gradients"
    """What is in them is changed, and some of it may be kept: clipping, averaging, decay."""
    UNSCALE = "unscale"
    UPDATE = "update the scaler"
    SCHEDULE = "scheduler step"
    CLIP = "clip gradients"
    TRAIN = "train mode"
    EVAL = "eval mode"
    STORE = "store"
    """A value is put into a container; `value` is what is stored."""
    CHANGE = "change in place"
    """What `target` holds is overwritten where it lies: everything that shares its memory shows it. Steps of optimizers do not count."""
    OPAQUE = "unknown call"
    """A call that cannot be followed; `values` are what it was given."""
    LEAVE = "leave"
    """`break`, `continue`, `return`, `raise`: the rest of a loop or function is left out."""


HANDED_ON = "zero_grad handed on"
"""Among the uses of an optimizer or module: somebody else got its `zero_grad`, and may call it at any time."""
TRAINS = frozenset({Happens.BACKWARD, Happens.STEP, Happens.CLEAR})


Calls = tuple[tuple[cst.Call, dict[int, Value]], ...]
"""The calls that lead to a function, innermost first, each with the argument for each parameter value."""


class Condition:
    """One answer to one question, on the way to an event."""

    __slots__ = ("_question", "arm", "calls", "test", "values")

    def __init__(self, test: Node, arm: Hashable, values: Mapping[Node, Value], calls: Calls = ()) -> None:
        self.test = test
        """What is asked: an expression, or the `match` or `try` whose arm is taken."""
        self.arm = arm
        self.values = values
        """What the expressions of the function yield in which it is asked."""
        self.calls = calls
        self._question: Hashable = None

    @property
    def question(self) -> Hashable:
        """Equal for tests that must come out alike: the same text over the same values. Worked out when it is first asked for."""
        if self._question is None:
            self._question = self._key(self.test)
        return self._question

    def behind(self, call: cst.Call, given: dict[int, Value]) -> Condition:
        """The same condition as the caller of its function sees it."""
        return Condition(self.test, self.arm, self.values, (*self.calls, (call, given)))

    @property
    def implied(self) -> Iterator[Condition]:
        """What else holds where this does: both parts of `a and b`, neither part of `a or b` where that does not."""
        test = self.test
        if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And) is self.arm:
            for part in (test.left, test.right):
                yield answer(part, self.arm, self.values, self.calls)

    @property
    def settled(self) -> bool | None:
        """Whether the answer is this one anyway: `scaler is None` is no question where the caller gave a scaler, or gave None."""
        test = self.test
        if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1 or not isinstance(self.arm, bool):
            return None
        asked, other = test.comparisons[0].operator, test.comparisons[0].comparator
        value = self.values.get(test.left)
        if value is None or not isinstance(asked, (cst.Is, cst.IsNot)) or not isinstance(other, cst.Name) or other.value != "None":
            return None
        given = self.argument(value)
        if given.kind is Kind.NONE and given is not value:
            return self.arm
        is_made = isinstance(given.node, cst.Call) and not given.optional and given.kind in _NEVER_NONE
        return not self.arm if is_made else None

    def argument(self, value: Value) -> Value:
        """What the callers handed over, for the value of a parameter."""
        for _, given in self.calls:
            value = given.get(id(value), value)
        return value

    def _key(self, node: Node) -> Hashable:
        if isinstance(node, cst.Name):
            value = self.values.get(node)
            if value is None:
                return node.value
            value = self.argument(value)
            return value.node.value if isinstance(value.node, cst.Name) else id(value)
        if isinstance(node, (cst.Integer, cst.Float, cst.SimpleString)):
            return node.value
        if isinstance(node, cst.Attribute):
            value = self.values.get(node)
            if value is None or isinstance(value.node, cst.Attribute) and value.node.attr.value == node.attr.value:
                return self._key(node.value), node.attr.value  # only ever read
            return id(self.argument(value))
        if isinstance(node, cst.Match):
            return cst.Match, self._key(node.subject)
        if isinstance(node, (cst.Call, cst.Lambda, cst.NamedExpr, cst.Await, cst.Try, cst.TryStar, cst.With)) and not _is_repeatable(node):
            return id(node), *(id(call) for call, _ in self.calls)
        operator = type(getattr(node, "operator", None))
        return type(node), _NEGATED.get(operator, operator), *(self._key(each) for each in children(node))  # type: ignore[arg-type]


def _is_repeatable(node: Node) -> bool:
    func = node.func if isinstance(node, cst.Call) else None
    return isinstance(func, cst.Name) and func.value in _SAME_AGAIN or is_finiteness(func)


def is_finiteness(func: Node | None) -> bool:
    """`torch.isfinite`, `x.isnan`, `math.isinf`"""
    return isinstance(func, cst.Attribute) and func.attr.value in _FINITE


def answer(test: Node, arm: Hashable, values: Mapping[Node, Value], calls: Calls = ()) -> Condition:
    """What is known where a test came out so: `not x` asks for x, `x is not None` for what `x is None` asks."""
    while isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        test, arm = test.expression, not arm
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1 and type(test.comparisons[0].operator) in _NEGATED:
        arm = not arm
    return Condition(test, arm, values, calls)


@dataclass(slots=True, eq=False)
class Event:
    what: Happens
    node: Node
    """Where it is written."""
    file: SourceFile
    """The file that `node` stands in."""
    target: Value | None = None
    """What it happens to: the loss, the optimizer, the container. None: to anything (`p.grad = None`)."""
    value: Value | None = None
    values: tuple[Value, ...] = ()
    chain: tuple[cst.Call, ...] = ()
    """The calls that lead there, outermost first; only the outer ones of a long chain."""
    when: tuple[Condition, ...] = ()
    """What must hold for it to happen, early exits included."""
    recorded: bool | None = True
    """Whether gradients are recorded where it happens; None where that depends."""

    @property
    def site(self) -> Node:
        """Where it happens as seen from the function that is read: the call that leads to it, or `node` itself."""
        return self.chain[0] if self.chain else self.node

    @property
    def places(self) -> tuple[Node, ...]:
        """Where it happens in each of the functions on the way."""
        return (*self.chain, self.node)


def behind(call: cst.Call, chain: tuple[cst.Call, ...]) -> tuple[cst.Call, ...]:
    """The chain of calls as the caller sees it."""
    return (call, *chain)[:_LONGEST_CHAIN]

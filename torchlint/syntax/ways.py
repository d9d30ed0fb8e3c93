"""Which places of a function control can come to from another one, without passing certain places on the way.

Structural, like the tree itself: branches part and meet, a loop leads back to its head, `return` and `raise` end. A loop that is passed
is taken to run: one that never does proves nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence

import libcst as cst

from torchlint.syntax.tree import Node, Tree

_PLAIN = (cst.BaseSmallStatement, cst.FunctionDef, cst.ClassDef)


def reached(tree: Tree, start: Node, goals: Collection[Node], without: Collection[Node] = ()) -> list[Node]:
    """Those of the goals that control can come to after `start`, in the order in which it does.

    A call, a target and a statement count as passed when they have done what they do, a name when it is read.
    """
    function = tree.function(start)
    body = function.body if isinstance(function, (cst.FunctionDef, cst.Module)) else None
    if body is None or not goals:
        return []
    walk = _Walk(tree, start, goals, without)
    walk.block(_between(tree, body.body if isinstance(body, cst.BaseSuite) else body, (start, *goals)), False)
    return list(walk.found)


def _between(tree: Tree, body: Sequence[Node], places: Iterable[Node]) -> Sequence[Node]:
    """The statements from the one with the first of these places to the one with the last: the others lead nowhere else."""
    order = tree.order
    at = sorted(order[each] for each in places)
    first = bisect_right(body, at[0], key=order.__getitem__) - 1
    return body[max(first, 0) : bisect_right(body, at[-1], key=order.__getitem__)]


class _Walk:
    """One walk over the statements of a function; what it carries along is whether control may have come from the start."""

    def __init__(self, tree: Tree, start: Node, goals: Collection[Node], without: Collection[Node]) -> None:
        self.tree = tree
        self.found: dict[Node, None] = {}
        self._start = start
        self._goals = frozenset(goals)
        self._marks: dict[Node, list[Node]] = {}
        self._breaks: list[bool | None] = []
        self._continues: list[bool | None] = []
        for each in {start: None, **dict.fromkeys(without), **dict.fromkeys(goals)}:
            self._marks.setdefault(self._unit(each), []).append(each)
        for marks in self._marks.values():
            marks.sort(key=self._moment)

    def _unit(self, node: Node) -> Node:
        """The statement or the part of a statement's head in which a place stands."""
        for each in (node, *self.tree.ancestors(node)):
            if isinstance(each, _PLAIN) or isinstance(self.tree.parents.get(each), _HEADED):
                return each
        return node

    def _moment(self, node: Node) -> tuple[int, int]:
        """When, within its unit, control passes a place."""
        if node in self._goals and isinstance(node, cst.Name):
            return self.tree.order[node], 0
        place = node
        for above in self.tree.ancestors(node):
            if isinstance(above, (cst.Assign, cst.AnnAssign, cst.AugAssign, cst.NamedExpr)):
                if above.value is None or not self.tree.is_inside(node, above.value):
                    place = above  # a target is bound when the value is there
            elif isinstance(above, (cst.Tuple, cst.List, cst.Element, cst.StarredElement, cst.AssignTarget)):
                continue
            break
        return self.tree.end(place), 1 if place is node else 2

    # -- statements -----------------------------------------------------------------------------------------------------

    def block(self, body: Iterable[Node], on: bool | None) -> bool | None:
        """What is left of `on` behind the statements: None where control does not come out of them."""
        for statement in body:
            if on is None:
                return None
            on = self._statement(statement, on)
        return on

    def _pass(self, unit: Node, on: bool) -> bool:
        for each in self._marks.get(unit, ()):
            if each in self._goals:
                if on:
                    self.found.setdefault(each)
            elif each is not self._start:
                on = False
            if each is self._start:
                on = True
        return on

    def _statement(self, node: Node, on: bool) -> bool | None:
        if isinstance(node, (cst.SimpleStatementLine, cst.BaseSuite)):
            return self.block(node.body, on)
        if isinstance(node, _PLAIN):
            return self._leave(node, self._pass(node, on))
        if isinstance(node, (cst.For, cst.While)):
            return self._loop(node, on)
        if isinstance(node, cst.If):
            on = self._pass(node.test, on)
            return _either(self._statement(node.body, on), self._else(node.orelse, on))
        if isinstance(node, cst.With):
            for item in node.items:
                on = self._pass(item, on)
            return self._statement(node.body, on)
        if isinstance(node, (cst.Try, cst.TryStar)):
            return self._try(node, on)
        if isinstance(node, cst.Match):
            on = self._pass(node.subject, on)
            return _either(on, *(self._statement(case.body, on) for case in node.cases))
        return on

    def _else(self, node: cst.If | cst.Else | None, on: bool) -> bool | None:
        return on if node is None else self._statement(node if isinstance(node, cst.If) else node.body, on)

    def _leave(self, node: Node, on: bool) -> bool | None:
        if isinstance(node, cst.Break) and self._breaks:
            self._breaks[-1] = _either(self._breaks[-1], on)
        elif isinstance(node, cst.Continue) and self._continues:
            self._continues[-1] = _either(self._continues[-1], on)
        return None if isinstance(node, (cst.Break, cst.Continue, cst.Return, cst.Raise)) else on

    def _loop(self, node: cst.For | cst.While, on: bool) -> bool | None:
        if isinstance(node, cst.For):
            on = self._pass(node.iter, on)
        self._breaks.append(None)
        self._continues.append(None)
        begun, after = on, None
        for _ in range(2):  # the second time with what the first left behind
            begun = self._pass(node.target if isinstance(node, cst.For) else node.test, begun)
            after = _either(after, self._statement(node.body, begun), self._continues[-1])
            begun = on or bool(after)
        self._continues.pop()
        if node.orelse is not None and after is not None:
            after = self._statement(node.orelse.body, after)
        left = _either(after, self._breaks.pop())
        return on if left is None else left

    def _try(self, node: cst.Try | cst.TryStar, on: bool) -> bool | None:
        after = self._statement(node.body, on)
        ends = self._else(node.orelse, after) if after is not None else None
        caught = on or bool(after) or self.tree.is_inside(self._start, node.body)
        handlers: tuple[cst.ExceptHandler | cst.ExceptStarHandler, ...] = tuple(node.handlers)
        ends = _either(ends, *(self._statement(each.body, caught) for each in handlers))
        if node.finalbody is None:
            return ends
        last = self._statement(node.finalbody.body, caught if ends is None else ends)
        return None if ends is None else last


_HEADED = (cst.If, cst.For, cst.While, cst.With, cst.Try, cst.TryStar, cst.Match, cst.MatchCase, cst.ExceptHandler, cst.ExceptStarHandler)


def _either(*states: bool | None) -> bool | None:
    living = [each for each in states if each is not None]
    return any(living) if living else None

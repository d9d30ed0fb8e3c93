"""One parsed file: its text, its tree and its names, as questions. What the names stand for in torch is left to the layers above."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import libcst as cst

from torchlint.syntax import cells
from torchlint.syntax.names import Names
from torchlint.syntax.parsing import Parsed
from torchlint.syntax.source import Source
from torchlint.syntax.tree import Node, Tree

N = TypeVar("N", bound=cst.CSTNode)


class SourceFile:
    """One parsed file. Raises `torchlint.syntax.parsing.Unreadable` for text that is not Python."""

    def __init__(self, text: str, *, path: str = "<text>", parsed: Parsed | None = None) -> None:
        self.text = text
        self.path = path
        self.parsed = parsed or Parsed(text)

    # -- the text -------------------------------------------------------------------------------------------------------

    @property
    def positions(self) -> Source:
        return self.parsed.positions

    def span(self, node: Node, within: Node | None = None) -> tuple[int, int]:
        """`[start, end)` in characters: the node without its own parentheses; a comma or a keyword is found sooner `within` its owner."""
        return self.positions.span(node, within)

    def source(self, node: Node) -> str:
        """The node as it is written, without its own parentheses."""
        if isinstance(node, cst.BaseExpression) and not node.lpar and not self.parsed.is_respelled:
            return _dotted(node) or self.module.code_for_node(node)  # the same, without the places of all other nodes
        start, end = self.span(node)
        return self.text[start:end]

    # -- the tree -------------------------------------------------------------------------------------------------------

    @property
    def module(self) -> cst.Module:
        return self.parsed.module

    @cached_property
    def tree(self) -> Tree:
        return self.parsed.tree

    def nodes(self, kind: type[N]) -> list[N]:
        """All nodes of exactly this type, in document order."""
        return self.tree.nodes(kind)

    def inside(self, ancestor: Node, kind: type[N]) -> Sequence[N]:
        """Those of exactly this type that stand below a node, in document order; costs what is there, not what the file holds."""
        return self.tree.within(self.tree.nodes(kind), ancestor)

    def attributes_inside(self, ancestor: Node, name: str) -> Sequence[cst.Attribute]:
        """The accesses `….name` below a node, in document order."""
        return self.tree.within(self.tree.attributes.get(name, ()), ancestor)

    def parent(self, node: Node) -> Node | None:
        return self.tree.parents.get(node)

    def ancestors(self, node: Node) -> Iterator[Node]:
        """The nodes around this one, innermost first."""
        return self.tree.ancestors(node)

    def statement(self, node: Node) -> Node:
        """The statement line or compound statement that the node belongs to."""
        return self.tree.statement(node)

    def function(self, node: Node) -> Node:
        """The function, lambda or module whose code evaluates the node."""
        return self.tree.function(node)

    def is_shown(self, node: Node) -> bool:
        """Whether the node belongs to the last statement of a notebook's cell, whose value is displayed."""
        if not cells.may_be_in(self.text):
            return False
        statement = self.statement(node)
        below = next((below for each, below in pairwise(self.module.body) if each is statement), None)
        last = statement.body[-1] if isinstance(statement, cst.SimpleStatementLine) else None
        if below is None or not cells.is_end(below) or not isinstance(last, cst.Expr):
            return False
        return last.semicolon is cst.MaybeSentinel.DEFAULT and (node is last or self.is_inside(node, last))

    def is_inside(self, node: Node, ancestor: Node) -> bool:
        return self.tree.is_inside(node, ancestor)

    def is_after(self, node: Node, earlier: Node) -> bool:
        """Whether the node begins later in the text."""
        return self.tree.order[node] > self.tree.order[earlier]

    # -- names ----------------------------------------------------------------------------------------------------------

    @cached_property
    def names(self) -> Names:
        return self.parsed.names

    def qualname(self, node: Node) -> str | None:
        """The canonical dotted path of an imported name or of something reached through one."""
        return self.names.qualname(node)

    def calls(self, *qualnames: str) -> Iterator[cst.Call]:
        """The calls of these imported names, in document order."""
        found = [call for name in set(qualnames) for call in self._called.get(name, ())]
        return iter(sorted(found, key=self.tree.order.__getitem__))

    @cached_property
    def _called(self) -> dict[str, list[cst.Call]]:
        found: dict[str, list[cst.Call]] = {}
        for call in self.nodes(cst.Call):
            path = self.qualname(call.func)
            if path is not None:
                found.setdefault(path, []).append(call)
        return found

    def methods(self, *names: str) -> Iterator[cst.Call]:
        """The calls `x.name(…)`, whatever `x` is."""
        for name in names:
            for attribute in self.tree.attributes.get(name, ()):
                call = self.tree.parents[attribute]
                if isinstance(call, cst.Call) and call.func is attribute:
                    yield call

    def references(self, name: cst.Name) -> list[cst.Name]:
        """Every appearance, in document order, of the variable that this name is bound to (or would be)."""
        return self.names.references(name)

    def owner_node(self, function: Node) -> cst.ClassDef | None:
        """The class in whose body a function stands."""
        block = self.parent(function)
        above = self.parent(block) if block is not None else None
        return above if isinstance(above, cst.ClassDef) and block is above.body else None


def _dotted(node: Node) -> str | None:
    """How a name or an attribute of one is written, if nothing but names and dots stands there: told without generating code."""
    if isinstance(node, cst.Name):
        return node.value if not node.lpar else None
    if isinstance(node, cst.Attribute) and not node.lpar and node.dot.whitespace_before.empty and node.dot.whitespace_after.empty:
        owner, name = _dotted(node.value), _dotted(node.attr)
        return f"{owner}.{name}" if owner is not None and name is not None else None
    return None

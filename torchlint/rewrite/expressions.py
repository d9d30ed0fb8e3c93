"""Edits of expressions: replaced, wrapped, extended by a method call or stripped of one.

Arguments of calls are in `torchlint.rewrite.arguments`.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.edits import Edit
from torchlint.rewrite.resolving import Unfixable, builder
from torchlint.rewrite.slots import Slot, argument, fitted, glued, needs_parentheses, slot
from torchlint.rule import Rewrite
from torchlint.syntax.file import SourceFile
from torchlint.syntax.tree import Tree

_HOLE = "_hole_"


@builder
def replace(node: cst.BaseExpression, text: str) -> Rewrite:
    """`text` instead of the expression and its parentheses, parenthesised itself where its place demands it."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        start, end = file.positions.full_span(node)
        yield Edit(start, end, glued(file.text, start, end, fitted(text, slot(node, file.parent))))

    return edits


@builder
def replace_target(target: cst.BaseExpression, text: str) -> Rewrite:
    """Another target of an assignment: `a, b = …` becomes `a = …`."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        if not isinstance(file.parent(target), cst.AssignTarget):
            raise Unfixable("not the target of an assignment")
        yield Edit(*file.positions.full_span(target), text)

    return edits


@builder
def method(node: cst.BaseExpression, name: str, *arguments: str) -> Rewrite:
    """`node.name(arguments)`, the node parenthesised where it must be: `a + b` becomes `(a + b).detach()`."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        slot(node, file.parent)
        start, end = file.positions.full_span(node)
        call = f".{name}({', '.join(map(argument, arguments))})"
        if needs_parentheses(node, Slot.RECEIVER):
            yield Edit(start, start, "(")
            call = f"){call}"
        yield Edit(end, end, call)

    return edits


@builder
def wrap(node: cst.BaseExpression, template: str) -> Rewrite:
    """The template with the expression in place of `{}`, both parenthesised where they must be: `wrap(node, "nn.ModuleList({})")`.

    The expression itself is not touched, so that fixes inside it can be applied along with this one.
    """
    if template.count("{}") != 1 or "\n" in template:
        raise ValueError(f"a template is one row with one `{{}}`: {template}")
    opening, closing = template.split("{}")
    hole = _hole(opening, closing)

    def edits(file: SourceFile) -> Iterator[Edit]:
        before, after = opening, closing
        if needs_parentheses(node, hole):
            before, after = f"{before}(", f"){after}"
        whole = f"{opening}{_HOLE}{closing}"
        if fitted(whole, slot(node, file.parent)) != whole:
            before, after = f"({before}", f"{after})"
        start, end = file.positions.full_span(node)
        if before:
            yield Edit(start, start, glued(file.text, start, start, before))
        if after:
            yield Edit(end, end, glued(file.text, end, end, after))

    return edits


@builder
def rename_attribute(attribute: cst.Attribute, name: str) -> Rewrite:
    """Another name after the dot: `x.old` becomes `x.name`."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        yield Edit(*file.span(attribute.attr, attribute), name)

    return edits


@builder
def rename_function(function: cst.FunctionDef, name: str) -> Rewrite:
    """Another name in the definition of a function: `def old(x):` becomes `def name(x):`. Nothing that calls it is touched."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        yield Edit(*file.span(function.name), name)

    return edits


@builder
def unwrap_method(call: cst.Call) -> Rewrite:
    """The receiver of a method call without the call: `torch.zeros(2).to(d)` becomes `torch.zeros(2)`."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        function = call.func
        if not isinstance(function, cst.Attribute) or function.lpar:
            raise Unfixable("not a method call")
        if needs_parentheses(function.value, Slot.RECEIVER):
            raise Unfixable("a bare integer needs the space before its dot")
        start, end = file.positions.full_span(function.value)[1], file.span(call)[1]
        yield Edit(start, end, glued(file.text, start, end, ""))

    return edits


def _hole(opening: str, closing: str) -> Slot:
    """What may stand in the hole of a template."""
    tree = Tree(cst.parse_module(f"({opening}{_HOLE}{closing})"))
    for name in tree.names[_HOLE]:
        return slot(name, tree.parents.get)
    raise ValueError(f"the hole of a template stands for an expression: {opening}{{}}{closing}")

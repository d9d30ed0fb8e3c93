"""What may stand where an expression stands: the places that read a value, and the parentheses a newcomer needs there.

The table holds every field of LibCST's nodes from which a value is read; a node found anywhere else (a target, a pattern, a piece
of a string, the name of an import) is not a value, and no expression may take its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache

import libcst as cst

from torchlint.rewrite.resolving import Unfixable

Parent = Callable[[cst.CSTNode], "cst.CSTNode | None"]


class Slot(IntEnum):
    """How much an expression may contain at a place without parentheses."""

    OPEN = 0
    """An operator or a conditional: the place is closed in by commas, brackets, keywords or the end of the statement."""
    OPERAND = 1
    """Names, calls, literals, brackets: an operator stands beside it."""
    RECEIVER = 2
    """As `OPERAND`, but no bare integer: a dot, a call or a subscript follows."""


_OPEN: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.AnnAssign: ("value",),
    cst.Annotation: ("annotation",),
    cst.Arg: ("value",),
    cst.Assert: ("test", "msg"),
    cst.Assign: ("value",),
    cst.AugAssign: ("value",),
    cst.Decorator: ("decorator",),
    cst.DictComp: ("key", "value"),
    cst.DictElement: ("key", "value"),
    cst.Element: ("value",),
    cst.ExceptHandler: ("type",),
    cst.ExceptStarHandler: ("type",),
    cst.Expr: ("value",),
    cst.For: ("iter",),
    cst.FormattedStringExpression: ("expression",),
    cst.From: ("item",),
    cst.GeneratorExp: ("elt",),
    cst.If: ("test",),
    cst.IfExp: ("orelse",),
    cst.Index: ("value",),
    cst.Lambda: ("body",),
    cst.ListComp: ("elt",),
    cst.Match: ("subject",),
    cst.MatchCase: ("guard",),
    cst.NamedExpr: ("value",),
    cst.Param: ("default",),
    cst.Raise: ("exc",),
    cst.Return: ("value",),
    cst.SetComp: ("elt",),
    cst.Slice: ("lower", "upper", "step"),
    cst.TypeAlias: ("value",),
    cst.While: ("test",),
    cst.WithItem: ("item",),
    cst.Yield: ("value",),
}
if hasattr(cst, "TemplatedStringExpression"):  # not in the oldest LibCST that will do
    _OPEN[cst.TemplatedStringExpression] = ("expression",)
_OPERAND: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.BinaryOperation: ("left", "right"),
    cst.BooleanOperation: ("left", "right"),
    cst.CompFor: ("iter",),
    cst.CompIf: ("test",),
    cst.Comparison: ("left",),
    cst.ComparisonTarget: ("comparator",),
    cst.IfExp: ("body", "test"),
    cst.StarredDictElement: ("value",),
    cst.StarredElement: ("value",),
    cst.UnaryOperation: ("expression",),
}
_RECEIVER: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.Attribute: ("value",),
    cst.Await: ("expression",),
    cst.Call: ("func",),
    cst.Subscript: ("value",),
}
_PRIMARY = (
    cst.Attribute,
    cst.Call,
    cst.ConcatenatedString,
    cst.Dict,
    cst.DictComp,
    cst.Ellipsis,
    cst.Float,
    cst.FormattedString,
    cst.Imaginary,
    cst.List,
    cst.ListComp,
    cst.Name,
    cst.Set,
    cst.SetComp,
    cst.SimpleString,
    cst.Subscript,
)
_KEYWORD = re.compile(r"\s*\w+\s*=(?!=)\s*")
_ALWAYS_PARENTHESISED = (cst.GeneratorExp, cst.Lambda, cst.NamedExpr, cst.Tuple, cst.Yield)


def slot(node: cst.CSTNode, parent: Parent) -> Slot:
    """What the place of this expression bears; `Unfixable` if no value is read there."""
    holder = parent(node)
    if holder is not None:
        for level, table in ((Slot.OPEN, _OPEN), (Slot.OPERAND, _OPERAND), (Slot.RECEIVER, _RECEIVER)):
            if any(getattr(holder, field) is node for field in table.get(type(holder), ())):
                _check_whole(holder, parent)
                return level
    raise Unfixable("it is not the value of an expression")


def is_value(node: cst.CSTNode, parent: Parent) -> bool:
    """Whether a value is read where this expression stands."""
    try:
        slot(node, parent)
    except Unfixable:
        return False
    return True


def needs_parentheses(expression: cst.BaseExpression, place: Slot) -> bool:
    """Whether the expression, as it is written, must be parenthesised to stand at a place of this kind."""
    if expression.lpar or isinstance(expression, _PRIMARY):
        return False
    if isinstance(expression, cst.Integer):
        return place is Slot.RECEIVER
    return isinstance(expression, _ALWAYS_PARENTHESISED) or place is not Slot.OPEN


def fitted(text: str, place: Slot) -> str:
    """The text of an expression, parenthesised if a place of this kind needs it; `Unfixable` if it is no expression."""
    parenthesised = f"({text})"
    try:
        whole = _parsed(parenthesised)
    except cst.ParserSyntaxError:
        raise Unfixable(f"not an expression: {text}") from None
    if not whole.lpar or not text.strip():  # `a) + (b` is two halves of something else
        raise Unfixable(f"not an expression: {text}")
    try:
        return parenthesised if needs_parentheses(_parsed(text), place) else text
    except cst.ParserSyntaxError:  # a walrus, a yield, several rows: an expression between parentheses only
        return parenthesised


def argument(text: str) -> str:
    """The text of one argument as it may stand among others: what needs parentheses there, a walrus behind `=` say, has them.

    `Unfixable` if it is no argument.
    """
    keyword, value = _KEYWORD.match(text), text
    if keyword is not None:
        value = text[keyword.end() :]
    elif text.startswith("*"):
        value = text.lstrip("*")
    prefix = text[: len(text) - len(value)]
    for candidate in (text, f"{prefix}({value})"):
        try:
            call = _parsed(f"f(_, {candidate})")
        except cst.ParserSyntaxError:
            continue
        if not isinstance(call, cst.Call) or len(call.args) != 2 or isinstance(call.args[-1].comma, cst.Comma):
            continue
        if candidate == text or isinstance(call.args[-1].value, (cst.NamedExpr, cst.GeneratorExp, cst.Yield)):
            return candidate
    raise Unfixable(f"not an argument: {text}")


def glued(text: str, start: int, end: int, content: str) -> str:
    """The content for `[start, end)` of the text, with a space wherever it would otherwise run into the word beside it."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    if not content:
        return " " if start < end and _is_word(before) and _is_word(after) else ""
    left = " " if _is_word(before) and (_is_word(content[0]) or content[0] in "'\"") else ""
    right = " " if _is_word(after) and _is_word(content[-1]) else ""
    return left + content + right


def _check_whole(holder: cst.CSTNode, parent: Parent) -> None:
    """Refuse the parts of what is no value as a whole: `a` in `(a, b) = ...`, in `import a.b` and in `case a.b:`."""
    whole: cst.CSTNode | None = holder
    if isinstance(holder, (cst.Element, cst.StarredElement)):
        whole = parent(holder)
        if isinstance(whole, (cst.List, cst.Tuple)):
            slot(whole, parent)
    while isinstance(whole, cst.Attribute):
        whole = parent(whole)
    if isinstance(whole, (cst.ImportFrom, cst.ImportAlias, cst.MatchValue, cst.MatchClass)):
        raise Unfixable("it is not the value of an expression")


@lru_cache(maxsize=256)
def _parsed(text: str) -> cst.BaseExpression:
    """The text as an expression; findings of one rule write the same few over and over."""
    return cst.parse_expression(text)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"  # the empty string, at either end of the text, is none

"""Python with parts of other Python in it: what comes out is nearly always Python again, of shapes that nobody would write."""

from __future__ import annotations

import ast
import textwrap
import warnings
from random import Random
from typing import TypeVar

N = TypeVar("N", ast.expr, ast.stmt)


def grafted(text: str, other: str, random: Random) -> str:
    """The text with up to three parts of the other one in it, in place of its own or beside them; what is no Python stays as it is."""
    for _ in range(random.randint(1, 3)):
        text = (_with_expression if random.random() < 0.7 else _with_statement)(text, other, random)
    return text


def _with_expression(text: str, other: str, random: Random) -> str:
    place, scion = _drawn(text, ast.expr, random), _drawn(other, ast.expr, random)
    if place is None or scion is None:
        return text
    start, end = _span(text, place)
    new, old = _source(other, scion), text[start:end]
    whole = random.choice(
        (
            new,
            f"({new})",
            f"({old} or {new})",
            f"[{new}, {old}]",
            f"({new} if {old} else {new})",
            f"({old}).{random.choice(('x', 'data', 'item()'))}",
        )
    )
    return text[:start] + whole + text[end:]


def _with_statement(text: str, other: str, random: Random) -> str:
    place, scion = _drawn(text, ast.stmt, random), _drawn(other, ast.stmt, random)
    if place is None or scion is None:
        return text
    start, end = _span(text, place)
    begin = text.rfind("\n", 0, start) + 1
    indent = text[begin:start]
    if indent.strip():
        return text
    first = _span(other, scion)[0]
    lead = other[other.rfind("\n", 0, first) + 1 : first]
    new = textwrap.dedent((lead if not lead.strip() else "") + _source(other, scion))
    kept = random.choice((f"{new}\n", "", f"{new}\n{new}\n"))
    around = random.choice(("", "", "if x:\n    ", "for x in loader:\n    ", "try:\n    ", "with x as y:\n    "))
    body = kept + textwrap.dedent(indent + text[start:end])
    if around:
        body = around.rstrip(" ") + textwrap.indent(body, "    ") + ("\nfinally:\n    pass" if around.startswith("try") else "")
    return text[:begin] + textwrap.indent(body, indent) + text[end:]


def _drawn(text: str, kind: type[N], random: Random) -> N | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = [
                each
                for each in ast.walk(ast.parse(text))
                if isinstance(each, kind) and not isinstance(getattr(each, "ctx", None), (ast.Store, ast.Del))
            ]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return random.choice(nodes) if nodes and "\r" not in text and "\x0c" not in text else None


def _span(text: str, node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Python's tree counts columns in bytes."""
    rows = text.split("\n")

    def offset(row: int, column: int) -> int:
        return sum(len(each) + 1 for each in rows[: row - 1]) + len(rows[row - 1].encode()[:column].decode())

    decorators = getattr(node, "decorator_list", None)
    first = min([node.lineno, *(each.lineno for each in decorators)]) if decorators else node.lineno
    return offset(first, node.col_offset), offset(node.end_lineno or node.lineno, node.end_col_offset or 0)


def _source(text: str, node: ast.expr | ast.stmt) -> str:
    start, end = _span(text, node)
    return text[start:end]

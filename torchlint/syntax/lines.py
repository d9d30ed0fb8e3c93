"""Where the logical lines of a text begin, and which header or simple statements each of them is in the tree.

The text is only looked at where a line can end: at strings, comments, brackets and newlines. What it says is left to the parser.
"""

from __future__ import annotations

import re

import libcst as cst

from torchlint.syntax.tree import Node, Tree

_BETWEEN = re.compile(r"(?:[ \t\f\r\n]|\\(?:\r\n?|\n)|#[^\r\n]*)*")
"""What stands between two logical lines."""
_NOTABLE = re.compile(
    r"""[(\[{]|[)\]}]|\r\n?|\n|\#[^\r\n]*|\\(?:\r\n?|\n)
    |\"{3}[^\\"]*(?:(?:\\.|"(?!""))[^\\"]*)*\"{3}|'{3}[^\\']*(?:(?:\\.|'(?!''))[^\\']*)*'{3}
    |"[^\\"\r\n]*(?:\\(?:\r\n|.)[^\\"\r\n]*)*"|'[^\\'\r\n]*(?:\\(?:\r\n|.)[^\\'\r\n]*)*'""",
    re.VERBOSE | re.DOTALL,
)
_HEADS: tuple[type[Node], ...] = (
    *(cst.SimpleStatementLine, cst.If, cst.Else, cst.For, cst.While, cst.With, cst.Try, cst.TryStar, cst.ExceptHandler),
    *(cst.ExceptStarHandler, cst.Finally, cst.FunctionDef, cst.ClassDef, cst.Decorator, cst.Match, cst.MatchCase),
)


def starts(text: str) -> list[int]:
    """Where each logical line begins, blanks, comments and continuations before it left out."""
    found = []
    depth = 0
    first = _after(text, 0)
    for match in _NOTABLE.finditer(text, first):
        place = match.start()
        mark = text[place]
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark in "\r\n" and not depth and place >= first:
            found.append(first)
            first = _after(text, place)
    return [*found, first] if first < len(text) else found


def _after(text: str, place: int) -> int:
    match = _BETWEEN.match(text, place)
    return match.end() if match is not None else place


def heads(tree: Tree) -> list[Node]:
    """What each logical line is, in document order: simple statements, the header of a compound statement or of a part of one."""
    order = tree.order

    def place(node: Node) -> tuple[int, bool]:
        decorators = node.decorators if isinstance(node, (cst.FunctionDef, cst.ClassDef)) else ()
        return (order[decorators[-1]], True) if decorators else (order[node], False)

    return sorted((node for kind in _HEADS for node in tree.nodes(kind)), key=place)


def beginnings(text: str, tree: Tree) -> dict[Node, int] | None:
    """Where the line of each statement begins; None where the lines of the text are not told apart as the parser does."""
    nodes, places = heads(tree), starts(text)
    return dict(zip(nodes, places, strict=True)) if len(nodes) == len(places) else None


def line_end(text: str, first: int) -> int:
    """Where the logical line that begins here ends, behind its newline."""
    depth = 0
    for match in _NOTABLE.finditer(text, first):
        mark = text[match.start()]
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark in "\r\n" and not depth:
            return match.end()
    return len(text)

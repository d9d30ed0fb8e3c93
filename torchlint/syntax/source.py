"""Where nodes stand in the text: character offsets, and the rows and columns that people read.

Spans are LibCST's own syntactic positions (those of its `PositionProvider`), found by generating code and counting characters: that of
the one statement that holds the node, which stands where its logical line begins. Where that is not to be told, or is not what the text
says there, the code of the whole module is generated. Only files with findings pay for either.
What the nodes mean is left to the other parts of the model.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from types import TracebackType

import libcst as cst
from libcst._nodes.internal import CodegenState

from torchlint.syntax.lines import beginnings
from torchlint.syntax.tree import Node, Tree

Span = tuple[int, int]
"""`[start, end)` in characters of the text."""

_NEWLINE = re.compile(r"\r\n?|\n")
_COMMENT = re.compile(r"#[^\r\n]*")
_SKIPPED = frozenset(" \t\f\r\n\\")
_NEWLINES = ("\n", "\r\n", "\r")
_DEPTH = 20_000


class SourceMismatch(ValueError):
    """The tree does not belong to the text: they differ in more than blanks."""


class Source:
    """A text, the module parsed from it (any byte-order mark removed before), and the place of every node in it.

    `spelled` is the text as the module spells it, where that is not the same: as long, with other names in some places.
    """

    def __init__(self, text: str, module: cst.Module, *, spelled: str | None = None, tree: Tree | None = None) -> None:
        self.text = text
        self.module = module
        self._spelled = text if spelled is None else spelled
        self._given = tree
        self._near: dict[Node, Span] = {}
        """The spans in the statements that were asked about."""
        self._left = len(text)
        """How many more characters are generated for single statements before the whole module is cheaper."""

    def location(self, offset: int) -> tuple[int, int]:
        """The row and the column of a character, both from 1. Rows end where Python and editors end them: not at form feeds."""
        row = bisect_right(self._row_starts, offset)
        return row, offset - self._row_starts[row - 1] + 1

    def span(self, node: cst.CSTNode, within: cst.CSTNode | None = None) -> Span:
        """Where the node stands, without its own parentheses; for a statement without leading comments, decorators and newline.

        A comma, a keyword or another node that the tree leaves out is found sooner `within` one that it knows.
        """
        found = self._near.get(node)
        known = within or node
        if found is None and self._left > 0 and known in self._tree.parents:
            self._record_statement(known)
            found = self._near.get(node)
        return self._recorded.spans[node] if found is None else found

    def around(self, node: cst.CSTNode) -> Span:
        """A part of the text in which the node stands, as small as is known without generating code."""
        statement = _statement(self._tree, node)[0]
        start = 0
        if statement is not None:
            start = self._beginnings.get((*getattr(statement, "decorators", ()), statement)[0], 0)
        if not isinstance(statement, cst.SimpleStatementLine):
            return start, len(self.text)
        following = bisect_right(self._line_starts, start)
        return start, self._line_starts[following] if following < len(self._line_starts) else len(self.text)

    def full_span(self, node: cst.CSTNode) -> Span:
        """Where the node stands, its own parentheses included."""
        start, end = self.span(node)
        opening, closing = getattr(node, "lpar", ()), getattr(node, "rpar", ())
        if isinstance(node, cst.BaseExpression) and opening and closing:
            return self.span(opening[0], node)[0], self.span(closing[-1], node)[1]
        return start, end

    @property
    def comments(self) -> list[Span]:
        """Where the comments stand, in document order."""
        return self._recorded.comments

    @cached_property
    def _row_starts(self) -> list[int]:
        return [0, *(newline.end() for newline in _NEWLINE.finditer(self.text))]

    @cached_property
    def _tree(self) -> Tree:
        return self._given or Tree(self.module)

    @cached_property
    def _beginnings(self) -> dict[Node, int]:
        """Where the logical line of each statement begins; empty if that is not to be told."""
        return beginnings(self._spelled, self._tree) or {}

    @cached_property
    def _line_starts(self) -> list[int]:
        return list(self._beginnings.values())

    def _record_statement(self, node: Node) -> None:
        """Note the spans in the statement that holds a node, or in its header alone, if what it generates is what the text says."""
        statement, stop = _statement(self._tree, node)
        start = self._beginnings.get(statement) if statement is not None else None
        if statement is None or start is None:
            return
        recorder = _Recorder(self.module, statement, stop)
        for each in reversed([each for each in self._tree.ancestors(statement) if isinstance(each, cst.IndentedBlock)]):
            recorder.increase_indent(self.module.default_indent if each.indent is None else each.indent)
        with _deep_recursion(), suppress(_Enough):
            statement._codegen(recorder)
        self._left -= recorder.offset
        base = start - recorder.begun
        if base >= 0 and self._stands_at(base, "".join(recorder.tokens)):
            self._near.update({node: (base + first, base + last) for node, (first, last) in recorder.spans.items()})

    def _stands_at(self, base: int, generated: str) -> bool:
        if self._spelled.startswith(generated, base):
            return True
        rest = self._spelled[base:]  # the newline of the last row is generated even where the text has none
        return generated.startswith(rest) and generated[len(rest) :] in _NEWLINES

    @cached_property
    def _recorded(self) -> _Recorder:
        recorder = _Recorder(self.module)
        with _deep_recursion():
            self.module._codegen(recorder)
        generated = "".join(recorder.tokens)
        if generated != self._spelled:
            places = _alignment(generated, self._spelled)
            recorder.move(places)
            end = places[-2] if generated else 0  # of what the tree knows; a last blank that it made up stands in front of the rest
            recorder.comments += [
                comment.span() for comment in _COMMENT.finditer(self.text, end + (self.text[end : end + 1] == generated[-1:]))
            ]
        return recorder


class _Recorder(CodegenState):
    """Generates code, and notes how many characters were written when each node began and ended."""

    def __init__(self, module: cst.Module, statement: Node | None = None, stop: Node | None = None) -> None:
        """`stop` ends it where that node would begin."""
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.statement = statement
        self.stop = stop
        self.offset = 0
        self.begun = 0
        """Where the statement itself began: what stands above it, decorators too, left out."""
        self.spans: dict[cst.CSTNode, Span] = {}
        self.comments: list[Span] = []
        self._starts: list[int] = []

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.offset += len(value)

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.add_token(token)

    def before_codegen(self, node: cst.CSTNode) -> None:
        if node is self.stop:
            raise _Enough
        self._starts.append(self.offset)

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self._starts.pop()
        if node not in self.spans:  # else the node itself has told which part of it counts
            self.spans[node] = start, self.offset
        if type(node) is cst.Comment:
            self.comments.append((start, self.offset))

    def record_syntactic_position(  # type: ignore[override]  # LibCST only ever uses the result in a `with`
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _Syntactic:
        if node is self.statement:
            self.begun = self.offset
        return _Syntactic(self, node, start_node, end_node)

    def move(self, places: list[int]) -> None:
        """Carry every span over to another text; `places[i]` is where the i-th generated character stands there."""
        last = len(places) - 1

        def moved(span: Span) -> Span:
            start, end = span
            first = places[min(start, last)]
            return first, first if start == end else places[min(end, last) - 1] + 1

        self.spans = {node: moved(span) for node, span in self.spans.items()}
        self.comments = [moved(span) for span in self.comments]


class _Syntactic:
    """The `with` block in which a node writes the part of itself that counts as its position."""

    __slots__ = ("end_node", "node", "recorder", "start", "start_node")

    def __init__(self, recorder: _Recorder, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None) -> None:
        self.recorder, self.node, self.start_node, self.end_node = recorder, node, start_node, end_node
        self.start = recorder.offset

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if kind is not None:
            return
        spans = self.recorder.spans
        start = self.start if self.start_node is None else spans[self.start_node][0]
        end = self.recorder.offset if self.end_node is None else spans[self.end_node][1]
        spans[self.node] = start, end


class _Enough(Exception):
    """All that was asked for is generated."""


def _statement(tree: Tree, node: Node) -> tuple[Node | None, Node | None]:
    """The statement that holds a node, and where its code may end: at its body, if the node stands in its header."""
    child, current = node, node
    while not isinstance(current, (cst.SimpleStatementLine, cst.BaseCompoundStatement)) or isinstance(tree.parents[current], cst.If):
        parent = tree.parents.get(current)
        if parent is None:
            return None, None
        child, current = current, parent
    if child is current or isinstance(current, (cst.SimpleStatementLine, cst.Try, cst.TryStar, cst.Match)):
        return current, None
    below = child is getattr(current, "orelse", None) or child is current.body
    return current, None if below else current.body


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """LibCST needs several frames per level, and a string in a thousand adjoining pieces has a thousand levels."""
    limit = sys.getrecursionlimit()
    if sys.version_info >= (3, 11):  # before, each frame also took from the thread's own stack, which may be small
        sys.setrecursionlimit(max(limit, _DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _alignment(generated: str, text: str) -> list[int]:
    """For each generated character its place in the text, and the text's length at last.

    LibCST does not give every text back as it was: it forgets continuation lines before a statement, form feeds in front of one,
    blanks in `except E :`, a last `\\r`, indented comments above an unfinished last row. All else is there, in the same order; blanks
    that moved are placed only roughly.
    """
    places: list[int] = []
    position = 0
    for character in generated:
        while position < len(text) and text[position] != character and text[position] in _SKIPPED:
            position += 1
        if position < len(text) and text[position] == character:
            places.append(position)
            position += 1
        elif character in _SKIPPED:
            places.append(position)
        else:
            raise SourceMismatch(f"the tree and the text part at character {position}")
    if not _SKIPPED.issuperset(_COMMENT.sub("", text[position:])):
        raise SourceMismatch(f"the tree ends before the text, at character {position}")
    places.append(len(text))
    return places

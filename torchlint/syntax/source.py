"""Where nodes stand in the text: character offsets, and the rows and columns that people read.

Spans are LibCST's own syntactic positions (those of its `PositionProvider`), found by generating the module's code once and
counting characters. That happens on the first question, so that only files with findings pay for it.
What the nodes mean is left to the other parts of the model.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType

import libcst as cst
from libcst._nodes.internal import CodegenState

Span = tuple[int, int]
"""`[start, end)` in characters of the text."""

_NEWLINE = re.compile(r"\r\n?|\n")
_COMMENT = re.compile(r"#[^\r\n]*")
_SKIPPED = frozenset(" \t\f\r\n\\")
_DEPTH = 20_000


class SourceMismatch(ValueError):
    """The tree does not belong to the text: they differ in more than blanks."""


class Source:
    """A text, the module parsed from it (any byte-order mark removed before), and the place of every node in it.

    `spelled` is the text as the module spells it, where that is not the same: as long, with other names in some places.
    """

    def __init__(self, text: str, module: cst.Module, *, spelled: str | None = None) -> None:
        self.text = text
        self.module = module
        self._spelled = text if spelled is None else spelled

    def location(self, offset: int) -> tuple[int, int]:
        """The row and the column of a character, both from 1. Rows end where Python and editors end them: not at form feeds."""
        row = bisect_right(self._row_starts, offset)
        return row, offset - self._row_starts[row - 1] + 1

    def span(self, node: cst.CSTNode) -> Span:
        """Where the node stands, without its own parentheses; for a statement without leading comments, decorators and newline."""
        return self._recorded.spans[node]

    def full_span(self, node: cst.CSTNode) -> Span:
        """Where the node stands, its own parentheses included."""
        start, end = self.span(node)
        opening, closing = getattr(node, "lpar", ()), getattr(node, "rpar", ())
        if isinstance(node, cst.BaseExpression) and opening and closing:
            return self.span(opening[0])[0], self.span(closing[-1])[1]
        return start, end

    @property
    def comments(self) -> list[Span]:
        """Where the comments stand, in document order."""
        return self._recorded.comments

    @cached_property
    def _row_starts(self) -> list[int]:
        return [0, *(newline.end() for newline in _NEWLINE.finditer(self.text))]

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

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.offset = 0
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
        spans = self.recorder.spans
        start = self.start if self.start_node is None else spans[self.start_node][0]
        end = self.recorder.offset if self.end_node is None else spans[self.end_node][1]
        spans[self.node] = start, end


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

"""Text to LibCST's tree, or a clear reason why not; nothing that LibCST would not survive reaches it."""

from __future__ import annotations

import ast
import re
import warnings
from contextlib import suppress
from functools import cached_property
from tokenize import TokenError

import libcst as cst

from torchlint.syntax.making import unchecked
from torchlint.syntax.names import Names
from torchlint.syntax.nesting import too_deep
from torchlint.syntax.readable import RESPELLED, respelled, with_plain_names
from torchlint.syntax.source import Source
from torchlint.syntax.tree import Tree


class Unreadable(ValueError):
    """Text that is not Python; the message says why, in half a sentence."""

    def __init__(self, reason: str, row: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.row = row
        self.column = column


class Parsed:
    """What is known of a text without knowing anything about torch: the tree, its maps, its names, its places."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.module, self._spelled = _parsed(text)

    @property
    def is_respelled(self) -> bool:
        """Whether the tree has other names than the text in some places."""
        return self._spelled != self.text

    def is_its_own(self, content: str) -> bool:
        """Whether the content can be put into the text: it holds no name that only the tree knows."""
        return not self.is_respelled or not any(name in content for name in RESPELLED)

    @cached_property
    def tree(self) -> Tree:
        return Tree(self.module)

    @cached_property
    def names(self) -> Names:
        return Names(self.tree)

    @cached_property
    def positions(self) -> Source:
        return Source(self.text, self.module, spelled=self._spelled, tree=self.tree)


def parse(text: str) -> cst.Module:
    """The tree of a text. Raises `Unreadable`."""
    return _parsed(text)[0]


def _parsed(text: str) -> tuple[cst.Module, str]:
    """The tree, and the text as the tree spells it: the same but for names that are keywords by now."""
    if text.startswith("\ufeff"):  # LibCST passes over it; one that means anything was taken off before
        raise Unreadable("invalid non-printable character U+FEFF")
    if (zero := text.find("\0")) >= 0:  # Python takes none, and the tokenizer of some of its releases fails at it
        before = text[:zero]
        raise Unreadable(
            "it contains a NUL character", len(re.findall(r"\r\n?|\n", before)) + 1, zero - max(before.rfind("\n"), before.rfind("\r"))
        )
    row = too_deep(text)
    if row is not None:
        raise Unreadable("it is nested too deeply to be read", row)
    try:
        with unchecked():
            return cst.parse_module(text), text
    except cst.ParserSyntaxError as error:
        again = respelled(text)
        if again is not None:
            with unchecked(), suppress(cst.ParserSyntaxError):  # else what is wrong with the text itself is what counts
                return cst.parse_module(again[1]), again[0]
        raise _explained(text, error) from error
    except RecursionError as error:
        raise Unreadable("it is nested too deeply to be read") from error
    except Exception as error:  # a defect of the parser itself must not end the run
        raise Unreadable(f"the parser gave up on it ({type(error).__name__}: {error})") from error


def _explained(text: str, error: cst.ParserSyntaxError) -> Unreadable:
    """What is wrong, and where, in Python's own words where it refuses the text as well: LibCST knows no place for some mistakes.

    That a name is a keyword by now is not what is wrong: TL805 says and mends it, once the rest can be read.
    """
    with suppress(SyntaxError, TokenError):
        text = with_plain_names(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as refused:
        return _unreadable_at(text, str(refused.msg), refused.lineno or 1, refused.offset or 1)
    except (ValueError, RecursionError, MemoryError):
        pass  # Python cannot say it either
    return _unreadable_at(text, error.message.removeprefix("parser error: ").rstrip("."), error.raw_line, error.raw_column + 1)


def _unreadable_at(text: str, message: str, row: int, column: int) -> Unreadable:
    """At the nearest place that the text has: behind a backslash both parsers count on, one the rows and the other the columns."""
    rows = re.split(r"\r\n?|\n", text)
    row = min(max(row, 1), len(rows))
    return Unreadable(message, row, min(max(column, 1), len(rows[row - 1]) + 1))

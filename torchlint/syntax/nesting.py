"""Room for code that is nested deeply, and whether a text is nested too deeply even so.

What is too deep Python refuses as well, or LibCST's parser takes minutes over it (its time grows with the square of a chain's length).
"""

from __future__ import annotations

import ast
import io
import re
import sys
import threading
import tokenize
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")

BRACKETS = 200
"""Python's own limit."""
DEPTH = 1000
"""Levels of expressions and statements. Long before this, no person wrote the code."""
LONG = 2000
"""Characters of a row from which on it may hold a chain as deep as that."""
BRANCHES = 50_000
"""`elif`s of a file. Each is a level of the tree, and of the stack."""
STACK = (1 << 30) if sys.maxsize > 1 << 32 else (1 << 26)
"""Bytes of address space; memory is only taken for what is used of it."""
FRAMES = 400_000

_BRACKET = re.compile(r"[()\[\]{}]")
_STEPS = {**dict.fromkeys("([{", 1), **dict.fromkeys(")]}", -1)}
"""How much deeper each bracket leads."""


def too_deep(text: str) -> int | None:
    """The row at which nesting goes beyond what can be parsed, if it does. Costs next to nothing for ordinary code."""
    return _beyond_brackets(text) or _beyond_branches(text) or _beyond_depth(text)


def with_room(work: Callable[[], T]) -> T:
    """What the work returns or raises, done on a stack that bears a thousand branches or operands, each nested in the one before."""
    if getattr(_local, "has_room", False):
        return work()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        _local.has_room = True
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  raised again by the thread that waits
            errors.append(error)

    with _deep():
        finished = _finished(run)
    if not finished:
        return work()
    if errors:
        raise errors[0]
    return results[0]


_local = threading.local()
_starting = threading.Lock()
_deep_runs: list[int] = []
"""The recursion limit that was in force before each run in progress."""


def _finished(run: Callable[[], None]) -> bool:
    """Run in a thread with a large stack; False where the system grants none."""
    worker = threading.Thread(target=run, daemon=True)
    with _starting:
        usual = threading.stack_size(STACK)
        try:
            worker.start()
        except (RuntimeError, MemoryError):
            return False
        finally:
            threading.stack_size(usual)
    worker.join()
    return True


@contextmanager
def _deep() -> Iterator[None]:
    """A recursion limit that fits the stack. It holds for all threads, so the last one out restores it."""
    with _starting:
        _deep_runs.append(sys.getrecursionlimit())
        sys.setrecursionlimit(max(FRAMES, _deep_runs[0]))
    try:
        yield
    finally:
        with _starting:
            usual = _deep_runs.pop()
            if not _deep_runs:
                sys.setrecursionlimit(usual)


def _beyond_brackets(text: str) -> int | None:
    depths = accumulate(map(_STEPS.__getitem__, _BRACKET.findall(text)))
    return _confirmed(text) if max(depths, default=0) > BRACKETS else None


def _confirmed(text: str) -> int | None:
    """The same with strings and comments told from code."""
    depth = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.OP and _BRACKET.fullmatch(token.string):
                depth += _STEPS[token.string]
                if depth > BRACKETS:
                    return token.start[0]
    except tokenize.TokenError as error:
        return int(error.args[1][0]) if "too many nested" in str(error.args[0]) else None
    except SyntaxError:
        return None  # for the parser to report
    return None


def _beyond_branches(text: str) -> int | None:
    if text.count("elif") <= BRANCHES:
        return None
    for count, match in enumerate(re.finditer(r"^[ \t\f]*elif\b", text, re.MULTILINE), start=1):
        if count > BRANCHES:
            return text.count("\n", 0, match.end()) + 1
    return None


def _beyond_depth(text: str) -> int | None:
    rows = text.splitlines()
    longest = max(rows, key=len, default="")
    if len(longest) < LONG:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of the checked code's escapes is not ours to print
            level: list[ast.AST] = [ast.parse(text)]
    except (RecursionError, MemoryError):
        return rows.index(longest) + 1
    except (SyntaxError, ValueError):
        return None  # for the parser to report
    for _ in range(DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return None
    return rows.index(longest) + 1

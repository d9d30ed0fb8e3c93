"""The user's files as they are imported: their text from memory, nothing written beside them, and marks where findings are reached.

Runs in the process of the program. A text is asked for when a file is imported, so that nobody has to know beforehand which will be.
Where a finding stands, a call that notes it is put before its statement into the tree, so that rows stay what they were.
"""

from __future__ import annotations

import ast
import builtins
import io
import linecache
import sys
import sysconfig
import tokenize
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import torchlint

MARK = "__torchlint_reached__"
"""What the inserted call is named, among the builtins."""


class Place(NamedTuple):
    """Where a finding stands, by the number that it goes by."""

    number: int
    row: int
    is_wanted: bool = False
    """Whether a run goes on for it."""


class Served(NamedTuple):
    """A file's text, and the places in it that are to be noticed."""

    text: str
    places: Sequence[Place] = ()


class Files:
    """The user's files that this program has imported."""

    def __init__(self, serve: Callable[[str], Served | None], imported: Callable[[str], None]) -> None:
        self._serve = serve
        self._imported = imported
        self._own: dict[str, str] = {}
        self.wanted: set[int] = set()
        """The places that are to be reached, by number."""

    def __contains__(self, path: str) -> bool:
        return path in self._own

    def code(self, path: str) -> CodeType:
        """What is executed in the place of the file."""
        served = self._serve(path) or Served(_read(path))
        self._own[path] = served.text
        # Without a time of change it is never read anew: tracebacks and `inspect` show the text that runs.
        linecache.cache[path] = (len(served.text), None, served.text.splitlines(keepends=True), path)
        self._imported(path)
        self.wanted.update(place.number for place in served.places if place.is_wanted)
        code: CodeType = compile(marked(served.text, path, served.places), path, "exec", dont_inherit=True)
        return code

    def text(self, path: str) -> str | None:
        return self._own.get(path)


def _read(path: str) -> str:
    with tokenize.open(path) as file:
        return file.read()


class Finder(MetaPathFinder):
    """Finds what the other finders find, and loads it in its own way if it is the user's."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if type(spec.loader) is SourceFileLoader and spec.origin is not None and is_own(spec.origin):
                    spec.loader = Loader(fullname, spec.origin, self._files)
                return spec
        return None


class Loader(SourceFileLoader):
    """Reads no compiled file and writes none."""

    def __init__(self, fullname: str, path: str, files: Files) -> None:
        super().__init__(fullname, path)
        self._files = files

    def get_code(self, fullname: str) -> CodeType:
        return self._files.code(str(self.path))

    def get_source(self, fullname: str) -> str | None:
        text = self._files.text(str(self.path))
        return super().get_source(fullname) if text is None else io.IncrementalNewlineDecoder(None, True).decode(text)


_LIBRARIES = tuple({str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_TORCHLINT = str(Path(torchlint.__file__).resolve().parent)


def is_own(path: str) -> bool:
    """Whether a file is the user's: neither Python's, nor an installed package's, nor ours."""
    file = Path(path).resolve()
    if {"site-packages", "dist-packages"} & set(file.parts) or file.is_relative_to(_TORCHLINT):
        return False
    return not any(file.is_relative_to(folder) for folder in _LIBRARIES)


def install(files: Files, reached: Callable[[int], None]) -> None:
    sys.meta_path.insert(0, Finder(files))
    setattr(builtins, MARK, reached)


def marked(text: str, path: str, places: Sequence[Place]) -> ast.Module:
    """The tree of the text with a call before the statement of each place."""
    tree = ast.parse(text, path)
    statements = [(_rows(node), node) for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    before: dict[int, list[int]] = {}
    within: dict[int, list[int]] = {}
    for number, row, _ in places:
        around = [(span, node) for span, node in statements if span[0] <= row <= span[1]]
        if not around:
            continue
        innermost = max(around, key=lambda each: (each[0][0], -each[0][1]))[1]
        # What is said of a function is about its body: that it is defined is not yet that it runs.
        inside = isinstance(innermost, ast.FunctionDef | ast.AsyncFunctionDef) and row >= innermost.lineno
        (within if inside else before).setdefault(id(innermost), []).append(number)
    for node in list(ast.walk(tree)):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, _with_calls(block, before))
        if id(node) in within:
            _put_first(node, within[id(node)])
    return tree


def _rows(node: ast.stmt) -> tuple[int, int]:
    """The rows of a statement, decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return min(node.lineno, *(each.lineno for each in decorators), node.lineno), node.end_lineno or node.lineno


def _with_calls(block: list[Any], before: dict[int, list[int]]) -> list[Any]:
    found: list[Any] = []
    for node in block:
        found += [_call(number, node) for number in before.get(id(node), ())] if not _must_come_first(node) else []
        found.append(node)
    return found


def _put_first(function: Any, numbers: list[int]) -> None:
    body = function.body
    start = 1 if len(body) > 1 and _is_text(body[0]) else 0
    body[start:start] = [_call(number, body[start]) for number in numbers]


def _must_come_first(node: ast.stmt) -> bool:
    return _is_text(node) or isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _call(number: int, place: ast.stmt) -> ast.stmt:
    call = ast.Expr(ast.Call(ast.Name(MARK, ast.Load()), [ast.Constant(number)], []))
    for node in ast.walk(call):
        ast.copy_location(node, place)
        if isinstance(node, ast.expr | ast.stmt):
            node.end_lineno, node.end_col_offset = node.lineno, node.col_offset
    return call

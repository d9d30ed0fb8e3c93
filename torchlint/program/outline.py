"""What a file of the project offers to those that import from it: told by what stands at the top, without a look at what is in there.

Only where a definition may say something about training is the file then read in full.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from torchlint.program.grounds import digest

_TELLING = re.compile(
    r"backward|zero_grad|\bF\.|loss|\.step\(|grad\b|inference_mode|\.(?:item|cpu|numpy|tolist)\(|detach|\bnn\b|torch|Module|[Oo]ptim|Loader|Sampler|\.to\(|\.cuda\(|append|print\(|\.write\(|add_scalar|device|\.train\(|\.eval\(|\+="
)
"""A definition without any of these words neither trains, measures, moves, waits, keeps nor shows anything."""
_TRAINING = re.compile(r"\.(?:manual_)?backward\(")
_QUOTED = re.compile(
    r"""["'\#](?:
        (?<=\#)[^\n]*
        |(?<=")(?:""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"{3} | [^"\\\n]*(?:\\.[^"\\\n]*)*")
        |(?<=')(?:\'\'[^'\\]*(?:(?:\\.|'(?!\'\'))[^'\\]*)*\'{3} | [^'\\\n]*(?:\\.[^'\\\n]*)*\')
    )""",
    re.DOTALL | re.VERBOSE,
)
"""A comment or a string. Each begins with a character that few others do, so that a search is quick."""
_DEFINITION = re.compile(r"^(?:def|class|async[ \t]+def)[ \t]+(\w+).*\n(?:(?:[ \t)\]}].*)?\n)*", re.MULTILINE)
"""From the first column to the next thing that stands there, but for closing brackets."""
_NEWLINE = re.compile("\n")


class Outline:
    """The names at the top of one file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._definitions: dict[str, tuple[int, int]] = {}
        """Where the rows of each function and class begin and end."""
        self._imports: dict[str, str] = {}
        self._stars: list[str] = []
        rows = [0, *(newline.end() for newline in _NEWLINE.finditer(text)), len(text) + 1]  # not `splitlines`: a form feed ends none
        statements, ends = _statements(text)
        for statement in _at_top(statements):
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                end = ends.get(statement.lineno, statement.end_lineno) or statement.lineno
                self._definitions[statement.name] = rows[statement.lineno - 1], rows[end] - 1
            elif isinstance(statement, ast.Import):
                heads = {alias.name.partition(".")[0] for alias in statement.names if alias.asname is None}
                self._imports.update({head: head for head in heads})
                self._imports.update({alias.asname: alias.name for alias in statement.names if alias.asname is not None})
            elif isinstance(statement, ast.ImportFrom):
                base = "." * statement.level + (statement.module or "")
                for alias in statement.names:
                    if alias.name == "*":
                        self._stars.append(base)
                    else:
                        self._imports.setdefault(alias.asname or alias.name, joined(base, alias.name))

    def defines(self, name: str) -> bool:
        """Whether a function or class of this name stands here, and may matter."""
        return name in self._definitions and _TELLING.search(self.text, *self._definitions[name]) is not None

    def trains(self, name: str) -> bool:
        """Whether the definition runs backward, or calls one of this file that does."""
        return name in self._training

    @cached_property
    def _training(self) -> set[str]:
        found = {name for name, rows in self._definitions.items() if _TRAINING.search(self.text, *rows)}
        grown = bool(found)
        while grown:
            calling = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(found)))})\(")
            more = {name for name, rows in self._definitions.items() if name not in found and calling.search(self.text, *rows)}
            found |= more
            grown = bool(more)
        return found

    def leads_to(self, name: str) -> list[str]:
        """The dotted paths that a name may be imported from: its own, or one for each star."""
        if name in self._definitions:
            return []
        if name in self._imports:
            return [self._imports[name]]
        return [joined(base, name) for base in self._stars if not name.startswith("_")]


def _statements(text: str) -> tuple[list[ast.stmt], dict[int, int]]:
    """The statements of a file, functions and classes at its top without their bodies, and the last row of each of these by its first.

    Python's parser takes a tenth of the time of LibCST's, most of it for bodies.
    """
    ends: dict[int, int] = {}

    def emptied(definition: re.Match[str]) -> str:
        row, rows = quiet.count("\n", 0, definition.start()) + 1, definition[0].rstrip().count("\n")
        ends[row] = row + rows
        return f"def {definition[1]}(): 0" + "\n" * definition[0].count("\n")

    quiet = _QUOTED.sub(_silenced, text + "\n")
    try:
        return ast.parse(_DEFINITION.sub(emptied, quiet)).body, ends
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass  # code that is laid out in a rare way, or is no code
    try:
        return ast.parse(text).body, {}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [], {}  # its own check reports what is wrong with it


def _silenced(quoted: re.Match[str]) -> str:
    """Nothing for a comment, an empty string for a string; the rows stay."""
    return "" if quoted[0].startswith("#") else "''" + "\\\n ''" * quoted[0].count("\n")


def read(path: str) -> tuple[str, str]:
    """The text of an imported file and the digest of its bytes; empty where it cannot be read, which its own check reports."""
    try:
        data = Path(path).read_bytes()
    except OSError:
        return "", ""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    return text.replace("\r\n", "\n").replace("\r", "\n"), digest(data)


def joined(base: str, name: str) -> str:
    """The path of a name in a module; a base of dots stands for a package around."""
    return base + name if base.endswith(".") else f"{base}.{name}"


def _at_top(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements at the top of a file, and those that stand there under `try` and `if`."""
    for statement in statements:
        yield statement
        if isinstance(statement, (ast.If, ast.Try)):
            yield from _at_top(statement.body)
            yield from _at_top(statement.orelse)
            for handler in statement.handlers if isinstance(statement, ast.Try) else ():
                yield from _at_top([each for each in handler.body if not isinstance(each, (ast.FunctionDef, ast.ClassDef))])

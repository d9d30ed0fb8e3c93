"""What a file of the project offers to those that import from it: found with Python's own parser, a tenth of the price of LibCST's.

Only where a definition may say something about training is the file then read in full.
"""

from __future__ import annotations

import ast
import re
from functools import cached_property

_TELLING = re.compile(
    r"backward|zero_grad|\bF\.|loss|\.step\(|grad\b|inference_mode|\.item\(|detach|\bnn\b|torch|Module|[Oo]ptim|Loader|\.to\(|\.cuda\(|append|device|\.train\(|\.eval\(|\+="
)
"""A definition without any of these words neither trains, measures, moves nor keeps anything."""
_TRAINING = re.compile(r"\.(?:manual_)?backward\(")


class Outline:
    """The names at the top of one file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._definitions: dict[str, str] = {}
        self._imports: dict[str, str] = {}
        lines = text.splitlines()
        for statement in self._statements(text):
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self._definitions[statement.name] = "\n".join(lines[statement.lineno - 1 : statement.end_lineno])
            elif isinstance(statement, ast.ImportFrom):
                base = "." * statement.level + (statement.module or "")
                for alias in statement.names:
                    self._imports[alias.asname or alias.name] = base + alias.name if base.endswith(".") else f"{base}.{alias.name}"

    @staticmethod
    def _statements(text: str) -> list[ast.stmt]:
        try:
            return ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []  # its own check reports what is wrong with it

    def defines(self, name: str) -> bool:
        """Whether a function or class of this name stands here, and may matter."""
        return _TELLING.search(self._definitions.get(name, "")) is not None

    def trains(self, name: str) -> bool:
        """Whether the definition runs backward, or calls one of this file that does."""
        return name in self._training

    @cached_property
    def _training(self) -> set[str]:
        found = {name for name, text in self._definitions.items() if _TRAINING.search(text)}
        grown = bool(found)
        while grown:
            calling = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(found)))})\(")
            more = {name for name, text in self._definitions.items() if name not in found and calling.search(text)}
            found |= more
            grown = bool(more)
        return found

    def leads_to(self, name: str) -> str | None:
        """The dotted path that a name is imported from."""
        return self._imports.get(name) if name not in self._definitions else None

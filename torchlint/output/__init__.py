"""How a run's findings are shown: one module per format, each with `render(report)`, which yields lines.

A new format is a module here and its name in `torchlint.settings.FORMATS`; its module bears that name unless the standard library
has one of the same name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torchlint.run.one import FileReport

HUMAN_FORMATS = ("full", "concise", "grouped")
"""Those that end in a summary. The others are read by programs, which would trip over it."""
_MODULES = {"json": "json_list", "json-lines": "json_lines", "html": "html_page"}


class Report(NamedTuple):
    """Everything that a format may say about a run."""

    files: Sequence[FileReport]
    checked: int
    """How many files were looked at, those without torch included."""
    unsafe: bool = False
    """Whether unsafe fixes count as applicable."""
    color: bool = False
    show_fixes: bool = False


def render(report: Report, output_format: str) -> Iterator[str]:
    """The lines of the report, without line ends."""
    module = import_module(f"{__name__}.{_MODULES.get(output_format, output_format)}")
    lines: Iterable[str] = module.render(report)
    yield from lines


def nothing_found(report: Report) -> str:
    left = " left" if any(file.fixed for file in report.files) else ""
    return f"No findings{left} in {count(report.checked, 'file')}."


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

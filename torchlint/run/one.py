"""What happens to one file: read, checked, fixed, written. Whatever goes wrong with it is said about it and stops nothing else.

Runs in the processes that share the work, so what goes in and out is small and picklable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from torchlint import selection
from torchlint.diagnostic import Cells, Diagnostic, Location, Place
from torchlint.edits import Applicability
from torchlint.program.grounds import digest
from torchlint.rule import Rule
from torchlint.run.failure import account
from torchlint.settings import Settings
from torchlint.sources import kinds, writing
from torchlint.sources.reading import Undecodable

if TYPE_CHECKING:
    from torchlint.program.grounds import Grounds
    from torchlint.program.project import Project
    from torchlint.sources.joined import Joined
    from torchlint.sources.markdown import Block, Markdown
    from torchlint.sources.notebooks import Notebook

STANDARD_INPUT = Path("-")


class Mode(Enum):
    CHECK = "check"
    FIX = "fix"
    DIFF = "diff"
    SUPPRESS = "suppress"
    """Write a comment to each finding that suppresses it."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done with every file of a run."""

    mode: Mode
    applicability: Applicability
    """The fixes that `FIX` and `DIFF` apply: these and safer ones."""
    roots: tuple[Path, ...] | None
    """Where the modules that the files import may lie; None where each text is judged by itself, and no other file is looked at."""
    timed: bool = False
    baseline: Path | None = None
    """Where the findings are kept that do not count."""
    remembered: bool = False
    """Whether somebody keeps the findings, and so what they rest on."""


@dataclass(frozen=True, slots=True)
class FileReport:
    path: Path
    diagnostics: tuple[Diagnostic, ...] = ()
    """What is left; positions are those of `text`."""
    text: str = ""
    """The text that the diagnostics speak of, if there are any. Of a notebook, the code of its cells, one after the other."""
    fixed: tuple[Diagnostic, ...] = ()
    diff: str = ""
    problem: str | None = None
    """Why the file could not be read or written."""
    seconds: dict[str, float] = field(default_factory=dict)
    """By phase and rule; empty unless it was asked for."""
    cells: Cells | None = None
    """Where in a notebook the rows of the text are."""
    became: str = ""
    """What the text of the file's `Source` became. Nobody needs it once the file is written."""
    grounds: Grounds | None = None
    """What the findings rest on, if they are all there are and somebody keeps them."""

    @property
    def filename(self) -> str:
        """For other programs, which may run elsewhere: absolute, and `-` for standard input."""
        return "-" if self.path == STANDARD_INPUT else str(self.path.absolute())

    def place(self, location: Location) -> Place:
        """Where a location of the text is, as people count."""
        return Place(None, location.row, location.column) if self.cells is None else self.cells.place(location)

    def row(self, location: Location) -> int:
        """The row of the file itself, for what knows no cells."""
        return location.row if self.cells is None else self.cells.written(location.row)


def check_file(path: Path, settings: Settings, task: Task) -> FileReport:
    """Check the file and, in the modes `FIX` and `SUPPRESS`, write what became of it."""
    writes = task.mode in (Mode.FIX, Mode.SUPPRESS)
    try:
        if writes:
            writing.finish(path)
        data = path.read_bytes()
    except writing.NotWritten as error:
        return FileReport(path, problem=f"was not changed: {error}")
    except OSError as error:
        return FileReport(path, problem=f"cannot be read: {error.strerror}")
    report = check_bytes(data, path, settings, task)
    if writes and report.fixed:
        try:
            writing.write(path, kinds.read(data, path), report.became, data)
        except writing.NotWritten as error:
            problem = f"was not changed: {error}"
            if isinstance(error, writing.HalfWritten):
                problem = (
                    f"is written by half: {error}; the next run that fixes it writes it to the end, from `.{path.name}{writing.SUFFIX}`"
                )
            report = replace(check_bytes(data, path, settings, replace(task, mode=Mode.CHECK)), problem=problem)
    if task.remembered:
        report = replace(report, grounds=_grounds(report, data, task))
    return replace(report, became="") if report.diagnostics else replace(report, text="", cells=None, became="")


def _grounds(report: FileReport, data: bytes, task: Task) -> Grounds | None:
    """What the findings rest on. Those of a file that was changed, or that was not read to its end, are not those of the next run."""
    if report.fixed or report.problem is not None or any(each.is_internal_error for each in report.diagnostics):
        return None
    if report.path.suffix.lower() in (kinds.NOTEBOOK, kinds.MARKDOWN):
        return None  # their findings have places in a text that the file only leads to
    grounds = _project(task.roots or ()).grounds(str(report.path))
    name, text = os.path.abspath(report.path), digest(data)
    if grounds.texts.get(name, text) != text:
        return None  # it changed between two looks at it
    return replace(grounds, texts={name: text, **grounds.texts})


def forget() -> None:
    """Another run begins, and looks at the files anew."""
    _project.cache_clear()


def check_bytes(data: bytes, path: Path, settings: Settings, task: Task) -> FileReport:
    """The same without a file; `became` of the report is what the source's text became."""
    try:
        source = kinds.read(data, path)
    except Undecodable as error:
        return _failed(path, settings, selection.SYNTAX_ERROR, str(error), Location(error.row, 1))
    seconds: dict[str, float] = {}
    try:
        timings = seconds if task.timed else None
        if kinds.is_markdown(source):
            text, left, fixed = _in_blocks(source, path, settings, task, timings)
        else:
            text, left, fixed = _linted(source.text, path, settings, task, timings)
    except Exception as error:  # noqa: BLE001 - a defect of ours in one file must not take the others with it; it is reported as TL000
        message = f"torchlint failed on this file: {account(error)}"
        return replace(_failed(path, settings, selection.INTERNAL_ERROR, message, Location(1, 1)), text=source.text)
    report = FileReport(path, tuple(left), text, fixed=tuple(fixed), seconds=seconds, became=text)
    after = source.encode(text) if fixed else data
    if kinds.is_notebook(source):
        report = _in_cells(report, source, type(source)(after), settings)
    return replace(report, diff=_diff(data, after, source.encoding, path)) if task.mode is Mode.DIFF else report


_Result = tuple[str, Sequence[Diagnostic], Sequence[Diagnostic]]
"""The text afterwards, what is left in it, and what was fixed."""


def _linted(text: str, path: Path, settings: Settings, task: Task, timings: dict[str, float] | None) -> _Result:
    from torchlint import baseline, engine, suppress
    from torchlint.syntax import making

    making.by_assignment()
    project = None if task.roots is None else _project(task.roots)
    known: frozenset[str] = frozenset()
    if task.baseline is not None:
        known = baseline.read(task.baseline).get(baseline.key(task.baseline, path), known)
    if task.mode in (Mode.CHECK, Mode.SUPPRESS):
        found = engine.lint(text, settings, path=str(path), project=project, known=known, timings=timings)
        if task.mode is Mode.CHECK or not found:
            return text, found, ()
        silent = suppress.add(text, found)
        left = engine.lint(silent, settings, path=str(path), project=project, known=known, timings=timings)
        return silent, left, _without(found, left)
    result = engine.fix(text, settings, path=str(path), project=project, applicability=task.applicability, known=known, timings=timings)
    return result.text, result.remaining, result.applied


def _in_blocks(source: Markdown, path: Path, settings: Settings, task: Task, timings: dict[str, float] | None) -> _Result:
    """The same of a document: each of its blocks alone. Nothing is said of fragments."""
    settings = for_blocks(settings)
    results = [_linted(block.code, path, settings, task, timings) if is_judged(block) else (block.code, (), ()) for block in source.blocks]
    after = source.with_codes([code for code, _, _ in results])
    left: list[Diagnostic] = []
    fixed: list[Diagnostic] = []
    for block, (_, some, others) in zip(after.blocks, results, strict=True):
        left += map(block.moved, some)
        fixed += others
    return after.text, left, fixed


def for_blocks(settings: Settings) -> Settings:
    """What holds in a document: it shows how suppressions are written, and code that is no Python."""
    return replace(settings, ignore=(*settings.ignore, selection.UNUSED_SUPPRESSION.code, selection.SYNTAX_ERROR.code))


def is_judged(block: Block) -> bool:
    """Whether a block of a document is a program that torch may have to do with."""
    from torchlint.run.many import concerns

    return concerns(block.code.encode()) and not block.is_fragment


def _without(found: Sequence[Diagnostic], left: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The findings that are not among those that are left: comments at the ends of rows move nothing."""
    still = {(each.code, each.location) for each in left}
    return [each for each in found if (each.code, each.location) not in still]


def _in_cells(report: FileReport, before: Notebook, after: Notebook, settings: Settings) -> FileReport:
    """The report on the text of a notebook, on the code of its cells; with what is no Python there."""
    left = [before.moved(each, report.became) for each in report.diagnostics]
    left += broken_cells(after, report.path, settings)
    left.sort(key=lambda each: (each.location, each.code))
    return replace(report, diagnostics=tuple(left), text=before.shown(report.became), cells=after.cells)


def broken_cells(cells: Joined, path: Path, settings: Settings) -> Iterator[Diagnostic]:
    """What is said of cells that are no Python, and so no part of the text that is checked."""
    for cell in cells.broken:
        message = f"this cell is not valid Python: {cell.reason}"
        yield from _failed(path, settings, selection.SYNTAX_ERROR, message, cell.location).diagnostics


@lru_cache(maxsize=1)
def _project(roots: tuple[Path, ...]) -> Project:
    """What the other files of the run say about the names that they share. Each process has its own."""
    from torchlint.program.project import Project

    return Project(roots)


def _failed(path: Path, settings: Settings, rule: Rule, message: str, place: Location) -> FileReport:
    if rule.code not in selection.enabled_codes(settings, str(path)):
        return FileReport(path)
    return FileReport(path, (Diagnostic(rule.code, rule.name, message, None, rule.severity, place, place, (place.row,)),))


def _diff(before: bytes, after: bytes, encoding: str, path: Path) -> str:
    """A unified diff that `patch` can apply. Only a line feed ends a line here: other endings belong to the text."""
    from difflib import unified_diff

    from torchlint.output.excerpt import visible

    old, new = (re.findall(r"[^\n]*\n|[^\n]+", text.decode(encoding)) for text in (before, after))
    name = visible(path.as_posix())
    lines = unified_diff(old, new, name, name)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)

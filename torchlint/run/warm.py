"""What a run need not do again: findings that are known and still hold become reports without any file being parsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torchlint.diagnostic import Diagnostic
from torchlint.program.grounds import digest
from torchlint.run.one import FileReport, Mode, Task
from torchlint.sources.reading import Undecodable, decode

if TYPE_CHECKING:
    from torchlint.cache.kept import Cache
    from torchlint.settings import Settings

Files = Sequence[tuple[Path, "Settings", int]]


def cold(task: Task) -> Task:
    """What is to be done with the files whose findings are not known: all findings are kept, those that a baseline knows as well."""
    if task.mode is Mode.CHECK:
        return replace(task, baseline=None, remembered=True)
    return replace(task, remembered=task.baseline is None)


def reports(cache: Cache, files: Files, task: Task) -> dict[Path, FileReport]:
    """The reports of files that nothing is to be done with but to say what is known of them."""
    found: dict[Path, FileReport] = {}
    for path, (text, diagnostics) in cache.findings([(path, settings) for path, settings, _ in files]).items():
        report = FileReport(path)
        if diagnostics:
            try:
                data = path.read_bytes()
            except OSError:
                continue
            if digest(data) != text:
                continue  # it has changed only now
            report = counted(FileReport(path, diagnostics, _decoded(data)), task)
        if task.mode is Mode.CHECK or not _is_work(report.diagnostics, task):
            found[path] = report
    return found


def counted(report: FileReport, task: Task) -> FileReport:
    """The report without the findings that the baseline knows."""
    if task.baseline is None or not report.text:
        return report
    from torchlint import baseline

    known = baseline.read(task.baseline).get(baseline.key(task.baseline, report.path), frozenset())
    left = tuple(baseline.unknown(report.text, list(report.diagnostics), known))
    return replace(report, diagnostics=left, text=report.text if left else "")


def keep(cache: Cache, files: Files, found: Mapping[Path, FileReport]) -> None:
    """Keep what was found in this run."""
    kept = {}
    for path, settings, _ in files:
        report = found.get(path)
        if report is not None and report.grounds is not None:
            kept[path] = settings, report.grounds, report.diagnostics
    cache.keep(kept)


def _is_work(diagnostics: Sequence[Diagnostic], task: Task) -> bool:
    if task.mode is Mode.SUPPRESS:
        return bool(diagnostics)
    return any(each.fix is not None and each.fix.applicability >= task.applicability for each in diagnostics)


def _decoded(data: bytes) -> str:
    try:
        return decode(data).text
    except Undecodable:
        return ""  # which is what was found

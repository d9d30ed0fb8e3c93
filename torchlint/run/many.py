"""All files of a run: those that do not concern torch are skipped unread by any parser, the others are shared among processes.

A file that cannot be read, or that kills the process that checks it, is reported; the rest is checked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from torchlint.cache.kept import Cache
    from torchlint.run.one import FileReport, Task
    from torchlint.settings import Settings

MENTION = b"torch"
"""What a file contains if any rule has something to say about it, unless it works with what other files import."""
_MODULE = b"nn.Module"
_TRAINING = (b".backward(", b".step()")
_OTHERS = re.compile(rb"\b(?:mxnet|gluon|paddle|chainer|mindspore|jittor|megengine|tinygrad|clear_grad\w*|cleargrads|jax)\b")
"""Libraries whose training loops are written alike, and mean something else."""
WORK_PER_PROCESS = 64 * 1024
"""Bytes of source below which another process costs more than it saves."""

LARGE = 64 * 1024
"""Bytes of source from which on a file counts as large."""
OBJECTS_PER_COLLECTION = 500_000
"""Syntax trees are freed by their reference counts. At Python's usual pace the collector would walk over them again and again."""

Files = Sequence[tuple[Path, "Settings"]]


class Outcome:
    """What came of a run."""

    def __init__(self) -> None:
        self.reports: list[FileReport] = []
        """Of the files that mention torch, in the order in which they were given."""
        self.problems: list[str] = []
        """Paths that could not be read or written, one line each."""
        self.checked = 0
        """How many files could be read."""
        self.seconds: dict[str, float] = {}
        """Wall time by phase."""


def concerns(data: bytes) -> bool:
    """Whether a file is worth parsing: it mentions torch, or defines modules or trains as only users of torch do."""
    return MENTION in data or (_MODULE in data or all(each in data for each in _TRAINING)) and _OTHERS.search(data) is None


def mentioning(files: Files, outcome: Outcome, cache: Cache | None = None) -> list[tuple[Path, Settings, int]]:
    """The files that are worth parsing, each with its size."""
    started = perf_counter()
    found = []
    for path, settings in files:
        try:
            size, is_worth_it = _looked_at(path) if cache is None else cache.look(path)[1:]
        except OSError as error:
            outcome.problems.append(f"{path}: cannot be read: {error.strerror}")
            continue
        outcome.checked += 1
        if is_worth_it:
            found.append((path, settings, size))
    outcome.seconds["skip files without torch"] = perf_counter() - started
    return found


def _looked_at(path: Path) -> tuple[int, bool]:
    data = path.read_bytes()
    return len(data), concerns(data)


def check_all(
    files: Sequence[tuple[Path, Settings, int]],
    task: Task,
    outcome: Outcome,
    *,
    jobs: int,
    advance: Callable[[], None],
    cache: Cache | None = None,
) -> None:
    """Check the files and add their reports to the outcome."""
    from torchlint.run import warm
    from torchlint.run.one import forget

    started = perf_counter()
    forget()
    reports = {} if cache is None else warm.reports(cache, files, task)
    for _ in reports:
        advance()
    # The large ones first, so that none is left alone at the end; the others folder by folder, since neighbours import each other.
    work = sorted((each for each in files if each[0] not in reports), key=lambda each: each[2] < LARGE)
    processes = min(jobs, len(work), 1 + sum(size for _, _, size in work) // WORK_PER_PROCESS)
    given = task if cache is None else warm.cold(task)
    try:
        for report in _in_turn(work, given) if processes <= 1 else _shared(work, given, processes):
            reports[report.path] = report
            advance()
    finally:
        if cache is not None:  # what an interrupt leaves is true as well
            warm.keep(cache, files, reports)
    for path, _, _ in files:
        report = reports[path]
        if report.problem is not None:
            outcome.problems.append(f"{path}: {report.problem}")
        outcome.reports.append(report if cache is None or given is task else warm.counted(report, task))
    outcome.seconds["check"] = perf_counter() - started


def available_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_turn(work: Sequence[tuple[Path, Settings, int]], task: Task) -> Iterator[FileReport]:
    from torchlint.run.one import check_file

    collect_rarely()
    return (check_file(path, settings, task) for path, settings, _ in work)


def collect_rarely() -> None:
    """Let the garbage collector look at syntax trees seldom: they are freed by their reference counts."""
    import gc

    gc.set_threshold(OBJECTS_PER_COLLECTION, 50, 1000)


def _shared(work: Sequence[tuple[Path, Settings, int]], task: Task, processes: int) -> Iterator[FileReport]:
    """Reports as they come. If a process dies, the files that were in work are tried again one by one, to find which of them kills it."""
    waiting = list(work)
    while waiting:
        finished: set[Path] = set()
        for report in _round(waiting, task, processes):
            finished.add(report.path)
            yield report
        waiting = [each for each in waiting if each[0] not in finished]
        # Work is handed out in order, so what was in work when a process died stands first.
        yield from _alone(waiting[:processes], task)
        del waiting[:processes]


def _round(work: Sequence[tuple[Path, Settings, int]], task: Task, processes: int) -> Iterator[FileReport]:
    """The reports of all files, or, if a process dies, of those that were finished by then."""
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    with _pool(processes) as pool:
        try:
            futures = [pool.submit(_check, path, settings, task) for path, settings, _ in work]
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            return
        except BaseException:
            # An interrupt above all: what is being written is finished, nothing else is begun.
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _alone(work: Sequence[tuple[Path, Settings, int]], task: Task) -> Iterator[FileReport]:
    from concurrent.futures.process import BrokenProcessPool

    from torchlint.run.one import FileReport

    for path, settings, _ in work:
        with _pool(1) as pool:
            try:
                yield pool.submit(_check, path, settings, task).result()
            except BrokenProcessPool:
                yield FileReport(path, problem="kills the process that checks it")


def _pool(processes: int) -> ProcessPoolExecutor:
    """Forked on Linux: the rules are loaded once and shared, and this process has no threads that a fork would break."""
    import multiprocessing
    import sys
    from concurrent.futures import ProcessPoolExecutor

    if sys.platform == "linux":
        from torchlint import engine  # noqa: F401
        from torchlint.rule import load_rules

        load_rules()
        context = multiprocessing.get_context("fork")
    else:
        context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_start)


def _start() -> None:
    """What a process does before its first file: it leaves interrupts to its parent."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_rarely()


def _check(path: Path, settings: Settings, task: Task) -> FileReport:
    from torchlint.run.one import check_file

    return check_file(path, settings, task)

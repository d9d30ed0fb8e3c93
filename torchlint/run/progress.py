"""A progress bar on standard error, for people: only on a terminal, and only for a run that takes over a second."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 1.0
PAUSE = 0.1
"""Seconds between two pictures."""


class Bar:
    """Drawn by the calls to `advance`, without a thread of its own: processes may be forked beside it."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._started = self._drawn = monotonic()
        self._wanted = sys.stderr.isatty()
        self._progress: Progress | None = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()

    def advance(self) -> None:
        self._done += 1
        now = monotonic()
        if not self._wanted or now - self._started < PATIENCE or now - self._drawn < PAUSE and self._done < self._total:
            return
        if self._progress is None:
            self._progress = _begin(self._total)
        self._drawn = now
        self._progress.update(self._progress.task_ids[0], completed=self._done, refresh=True)


def _begin(total: int) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("Checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    progress = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    progress.add_task("check", total=total)
    progress.start()
    return progress

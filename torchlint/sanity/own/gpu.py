"""What a step costs on a GPU: how long it keeps the GPU's queue busy, and how much memory is in use.

Runs in the process of the program. Events of CUDA stand around the program's own part of each step, so that what is recorded in between is
not counted; they are read once the sums of the step have been waited for, which they all precede. Nothing is reset: a program that asks for
its own peak finds it.
"""

from __future__ import annotations

from typing import Any

import torch


class Gpu:
    def __init__(self, is_there: bool) -> None:
        self._is_there = is_there
        self._since: Any = None
        """The event after which the program's own work goes on."""
        self._parts: list[tuple[Any, Any]] = []
        """Where the program's own work began and ended, since the last step."""

    @property
    def _is_used(self) -> bool:
        return self._is_there and torch.cuda.is_initialized()

    def pause(self) -> None:
        """The program's own work ends here for a while."""
        if self._since is not None:
            self._parts.append((self._since, _event()))
            self._since = None

    def go_on(self) -> None:
        if self._is_used:
            self._since = _event()

    def taken(self) -> dict[str, Any]:
        """Milliseconds of the program's own work since this was asked last, and bytes in use now and at most so far, on all GPUs."""
        if not self._is_used:
            return {}
        parts, self._parts = self._parts, []
        count = range(torch.cuda.device_count())
        return {
            "milliseconds": sum(start.elapsed_time(end) for start, end in parts) if parts else None,
            "allocated": sum(map(torch.cuda.memory_allocated, count)),
            "most_allocated": sum(map(torch.cuda.max_memory_allocated, count)),
        }


def _event() -> Any:
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event

"""Where the host asks for a value that a device may still be computing: by line of the user's files, and only where the user's code asks.

Runs in the process of the program. Where there is no device but the CPU it stands in for one: a value that is asked for there would be
waited for elsewhere. Where there is a GPU, CUDA itself tells as well when the host waits for it: for values, for masks, for copies.
"""

from __future__ import annotations

import functools
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from torchlint.sanity.own.loading import Files

_ASKS = (
    *("item", "tolist", "cpu", "numpy", "__float__", "__int__", "__bool__"),
    *("__complex__", "__format__", "__repr__", "__array__"),
)
_ASKS_THERE = ("__index__",)
"""What is asked of values that lie on a device alone: on a CPU, indices are drawn on it anyway."""
_MOVES = ("to",)
_TORCH = str(Path(torch.__file__).parent) + os.sep
_ASK_THEMSELVES = (_TORCH, str(Path(__file__).with_name("recorder.py")))
_BETWEEN = (__file__, str(Path(__file__).with_name("memory.py")))
"""What lies between the program and torch while it is recorded."""
_SYNCHRONISES = "called a synchronizing CUDA operation"
_DEEPEST = 80
"""Frames that are looked through for the user's."""
_NEAR = 8
"""Frames between a kernel and the program that are looked through for what records it."""


class Waits:
    def __init__(self, files: Files, on_device: bool) -> None:
        self._files, self._on_device = files, on_device
        self._process = os.getpid()
        self._within = False
        self.counts: Counter[str] = Counter()
        """By the line that asks."""
        self.callers: Counter[str] = Counter()
        """By the lines that call it, from the user's files as well."""
        self.synchronisations: Counter[str] = Counter()
        """By the line at which the host waits for a GPU, as CUDA says."""

    def install(self) -> None:
        for name in (*_ASKS, *((*_ASKS_THERE, *_MOVES) if self._on_device else ())):
            setattr(torch.Tensor, name, self._counted(getattr(torch.Tensor, name), moves=name in _MOVES))
        if self._on_device:
            show = warnings.showwarning

            @functools.wraps(show)
            def shown(message: Warning | str, *arguments: Any, **options: Any) -> None:
                if _SYNCHRONISES in str(message):
                    self._count(sys._getframe(1), self.synchronisations)
                else:
                    show(message, *arguments, **options)

            warnings.showwarning = shown
            torch.cuda._lazy_call(_tell_of_waits)  # CUDA starts when the program wants it
            self.listen()

    def listen(self) -> None:
        """Hear CUDA's warnings, whatever the program has silenced meanwhile."""
        if self._on_device:
            warnings.filterwarnings("always", _SYNCHRONISES)

    def taken(self) -> dict[str, dict[str, int]]:
        """What was counted since this was asked last."""
        found = {"waits": dict(self.counts), "callers": dict(self.callers), "synchronisations": dict(self.synchronisations)}
        self.counts.clear()
        self.callers.clear()
        self.synchronisations.clear()
        return found

    def _counted(self, wait: Callable[..., Any], *, moves: bool) -> Callable[..., Any]:
        @functools.wraps(wait)
        def counted(tensor: Any, *arguments: Any, **options: Any) -> Any:
            if self._within:  # one of them asks by another
                return wait(tensor, *arguments, **options)
            self._within = True
            try:
                found = wait(tensor, *arguments, **options)
            finally:
                self._within = False
            if moves:
                waits = _has_arrived(tensor, found) and not options.get("non_blocking", False)
            else:
                waits = not self._on_device or tensor.device.type != "cpu"
            if waits:
                self._count(sys._getframe(1), self.counts, self.callers)
            return found

        return counted

    def _count(self, frame: FrameType | None, counts: Counter[str], callers: Counter[str] | None = None) -> None:
        if os.getpid() != self._process:
            return
        frame = self._outside(frame)
        asked = False
        for _ in range(_DEEPEST):
            if frame is None:
                break
            name = frame.f_code.co_filename
            if name in self._files:
                found = f"{name}:{frame.f_lineno}"
                if not asked:
                    counts[found] += 1
                elif callers is not None:
                    callers[found] += 1
                asked = True
            elif not asked and name.startswith(_ASK_THEMSELVES):  # an optimizer's own questions are not the user's
                return
            frame = frame.f_back

    def _outside(self, frame: FrameType | None) -> FrameType | None:
        """The program's own frame, or torch's, that led to what lies between them."""
        found = frame
        for _ in range(_NEAR):
            if frame is None or frame.f_code.co_filename in self._files:
                break
            if frame.f_code.co_filename in _BETWEEN:
                found = frame.f_back
            frame = frame.f_back
        return found


def _tell_of_waits() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it does not know of all of them yet
        torch.cuda.set_sync_debug_mode("warn")


def _has_arrived(source: torch.Tensor, target: object) -> bool:
    """Whether a copy went from a device to the host."""
    return source.device.type != "cpu" and isinstance(target, torch.Tensor) and target.device.type == "cpu"

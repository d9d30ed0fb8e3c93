"""Where the host asks for a value that a device may still be computing: by line of the user's files, and only where the user's code asks.

Runs in the process of the program. Where there is no device but the CPU it stands in for one: a value that is asked for there would be
waited for elsewhere.
"""

from __future__ import annotations

import functools
import os
import sys
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
_DEEPEST = 80
"""Frames that are looked through for the user's."""


class Waits:
    def __init__(self, files: Files, on_device: bool) -> None:
        self._files, self._on_device = files, on_device
        self._process = os.getpid()
        self._within = False
        self.counts: Counter[str] = Counter()
        """By the line that asks."""
        self.callers: Counter[str] = Counter()
        """By the lines that call it, from the user's files as well."""

    def install(self) -> None:
        for name in (*_ASKS, *((*_ASKS_THERE, *_MOVES) if self._on_device else ())):
            setattr(torch.Tensor, name, self._counted(getattr(torch.Tensor, name), moves=name in _MOVES))

    def taken(self) -> dict[str, dict[str, int]]:
        """What was counted since this was asked last."""
        found = {"waits": dict(self.counts), "callers": dict(self.callers)}
        self.counts.clear()
        self.callers.clear()
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
                self._count(sys._getframe(1))
            return found

        return counted

    def _count(self, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            return
        asked = False
        for _ in range(_DEEPEST):
            if frame is None:
                break
            name = frame.f_code.co_filename
            if name in self._files:
                (self.callers if asked else self.counts)[f"{name}:{frame.f_lineno}"] += 1
                asked = True
            elif not asked and name.startswith(_TORCH):  # an optimizer's own questions are not the user's
                return
            frame = frame.f_back


def _has_arrived(source: torch.Tensor, target: object) -> bool:
    """Whether a copy went from a device to the host."""
    return source.device.type != "cpu" and isinstance(target, torch.Tensor) and target.device.type == "cpu"

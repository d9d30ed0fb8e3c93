"""What a step allocates, and what it leaves behind: every kernel's results are watched during some steps, and let go in between.

Runs in the process of the program. A step that is watched takes a quarter longer, so most are not. Of those that are, the bytes of all
tensors that they make are counted at their most, and once more two steps later, when nothing of a step should be alive that nobody keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode

_LARGE = 1 << 16
"""Bytes of a tensor from which on it is asked who made it."""
_FEW = 256
"""Tensors alive up to which the most is counted to the byte; with more of them, to a fiftieth."""
_SEEN_AFTER = 2
"""Steps after which what is alive of a step is kept."""


def is_watched(step: int) -> bool:
    """The second and the third step, and from then on every fourth at first."""
    return step == 3 or step % (4 if step <= 40 else 40) == 2


class Memory:
    def __init__(self, line: Callable[[], str], write: Callable[..., None]) -> None:
        self._line, self._write = line, write
        self._current: _Watch | None = None
        self._ended: list[_Watch] = []
        self._is_off = False

    def never(self) -> None:
        """Watch no step: a compiler looks away from what is watched."""
        self._is_off = True

    def after(self, step: int) -> None:
        """A step of the first optimizer was taken."""
        self._leave()
        kept, self._ended = self._ended, []
        for each in kept:
            if step >= each.step + _SEEN_AFTER:
                self._tell(each)
            else:
                self._ended.append(each)
        # Where a mode of the program's own is in force, ours would be taken down in its place.
        if is_watched(step + 1) and not self._is_off and self._current is None and _get_current_dispatch_mode() is None:
            self._current = _Watch(step + 1, self._line)
            self._current.__enter__()

    def rest(self) -> None:
        """Nothing more is to come."""
        self._leave()
        for each in self._ended:
            self._write("memory", step=each.step, peak=each.peak)

    def _leave(self) -> None:
        if self._current is not None and _get_current_dispatch_mode() is self._current:
            self._current.__exit__(None, None, None)
            self._ended.append(self._current)
            self._current = None

    def _tell(self, watch: _Watch) -> None:
        kept, line = watch.kept()
        self._write("memory", step=watch.step, peak=watch.peak, kept=kept, line=line)


def _storages(values: Any) -> list[Any]:
    return [each.untyped_storage() for each in _tensors(values) if each.layout is torch.strided and not each.is_meta]


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    """Of what a kernel takes and gives: tensors, and lists of them."""
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, (list, tuple)):
        for each in values:
            yield from _tensors(each)
    elif isinstance(values, dict):
        yield from _tensors(list(values.values()))


class _Watch(TorchDispatchMode):
    def __init__(self, step: int, line: Callable[[], str]) -> None:
        super().__init__()
        self.step, self._line = step, line
        self.peak = self._bytes = 0
        self._alive: dict[int, tuple[StorageWeakRef, int, str]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        output = func(*args, **(kwargs or {}))
        for storage in _storages(output):
            # The weak reference keeps the address from being used again, so an address that is known is the same storage.
            if storage._cdata not in self._alive and all(storage._cdata != each._cdata for each in _storages((args, kwargs))):
                self._enter(storage)
        return output

    def _enter(self, storage: Any) -> None:
        """One that was not there before: neither changed in place nor looked at anew."""
        size = storage.nbytes()
        self._alive[storage._cdata] = StorageWeakRef(storage), size, self._line() if size >= _LARGE else ""
        self._bytes += size
        if self._bytes > (self.peak if len(self._alive) < _FEW else self.peak * 1.02):  # only now does it matter which of them are gone
            self._forget()
            self.peak = max(self.peak, self._bytes)

    def _forget(self) -> None:
        self._alive = {key: entry for key, entry in self._alive.items() if not entry[0].expired()}
        self._bytes = sum(size for _, size, _ in self._alive.values())

    def kept(self) -> tuple[int, str]:
        """What is alive of it by now, and where most of that was made."""
        self._forget()
        lines: Counter[str] = Counter()
        for _, size, line in self._alive.values():
            lines[line] += size
        lines.pop("", None)
        return self._bytes, max(lines, key=lambda line: lines[line]) if lines else ""

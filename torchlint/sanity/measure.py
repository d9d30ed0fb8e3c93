"""What a program costs: memory that grows, waits for the device, copies to it. Runs in the child, with torch.

Counts come from modes laid around torch and are the same on every run. Time is not, and in programs this small it is noise.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Run = Callable[[int], object]
"""The program, at a number of steps and always from the same seeds."""


def per_step(run: Run, steps: tuple[int, int], device: str) -> dict[str, float]:
    """Each cost that one more step adds: what both lengths have in common, such as building the model, cancels out."""
    short, long = steps
    few, many = _counts(run, short, device), _counts(run, long, device)
    return {name: (many[name] - few[name]) / (long - short) for name in few}


def _counts(run: Run, steps: int, device: str) -> dict[str, int]:
    graph, traffic = _Graph(), _Traffic(device)
    with _without_collector(), _synchronisations(device) as warned, traffic, graph:
        run(steps)
    counts = {
        "bytes": traffic.peak,
        "nodes": graph.peak,
        "waits": traffic.waits,
        "copies": traffic.copies,
        "kernels": traffic.kernels,
        "written": traffic.written,
    }
    if device == "cuda":
        counts["synchronisations"] = sum("synchronizing" in str(warning.message) for warning in warned)
    return counts


@contextmanager
def _without_collector() -> Iterator[None]:
    """Memory ends with its last reference, at the same place in every run; what only the collector would free counts as kept."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _synchronisations(device: str) -> Iterator[list[warnings.WarningMessage]]:
    """CUDA's own word on when the host waited, beside our count."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        if device == "cuda":
            torch.cuda.set_sync_debug_mode("warn")
        try:
            yield warned
        finally:
            if device == "cuda":
                torch.cuda.set_sync_debug_mode("default")


class _Traffic(TorchDispatchMode):
    """Sees every kernel: which memory its results live in, and what crosses between host and device."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device = device
        self.waits = self.copies = self.peak = self.kernels = self.written = 0
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self._bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        output = func(*args, **(kwargs or {}))
        packet = func.overloadpacket
        if packet in _ASKS_FOR_VALUE:
            # A value that lies on the host already costs nothing, except where the host stands in for the device.
            self.waits += self.device == "cpu" or args[0].device.type != "cpu"
        elif packet in _COPIES:
            source, target = (args[1], args[0]) if packet is torch.ops.aten.copy_ else (args[0], output)
            # A copy that the host does not wait for is none of its waits.
            at_once = not (kwargs or {}).get("non_blocking", packet is torch.ops.aten.copy_ and len(args) > 2 and args[2])
            self.waits += at_once and source.device.type != "cpu" and target.device.type == "cpu"
            self.copies += source.device.type == "cpu" and target.device.type != "cpu"
        computes = packet not in _COPIES and _computes(func)
        self.kernels += computes
        for leaf in tree_leaves(output):
            if isinstance(leaf, torch.Tensor) and leaf.layout is torch.strided and not leaf.is_meta:
                self._enter(leaf.untyped_storage())
                self.written += computes * leaf.nbytes
        return output

    def _enter(self, storage: Any) -> None:
        # The weak reference keeps the address from being used again, so an address that is known is the same storage.
        if storage._cdata in self._alive:
            return
        self._alive[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        self._bytes += storage.nbytes()
        if self._bytes > self.peak:  # only now does it matter which of them are gone
            self._alive = {key: entry for key, entry in self._alive.items() if not entry[0].expired()}
            self._bytes = sum(size for _, size in self._alive.values())
            self.peak = max(self.peak, self._bytes)


@lru_cache(maxsize=1024)
def _computes(func: Any) -> bool:
    """Whether a kernel writes its results, and does not only look at its arguments anew."""
    returns = func._schema.returns
    return not returns or any(each.alias_info is None or each.alias_info.is_write for each in returns)


_ASKS_FOR_VALUE = {torch.ops.aten._local_scalar_dense, torch.ops.aten.equal, torch.ops.aten.nonzero}
_COPIES = {torch.ops.aten._to_copy, torch.ops.aten.copy_}


class _Graph(TorchFunctionMode):
    """Counts the nodes of autograd graphs that are alive. They outlive the tensors that backward() lets go of.

    A node's metadata lives exactly as long as the node, so a mark laid into it tells when the node ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self.alive = self.peak = 0

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        output = func(*args, **(kwargs or {}))
        fresh = [leaf.grad_fn for leaf in tree_leaves(output) if isinstance(leaf, torch.Tensor) and leaf.grad_fn is not None]
        while fresh:
            node = fresh.pop()
            if _MARK not in node.metadata:
                node.metadata[_MARK] = _Mark(self)
                fresh += [before for before, _ in node.next_functions if before is not None]
        return output


class _Mark:
    def __init__(self, graph: _Graph) -> None:
        self.graph = graph
        graph.alive += 1
        graph.peak = max(graph.peak, graph.alive)

    def __del__(self) -> None:
        self.graph.alive -= 1


_MARK = "torchlint"

"""What a loader is told that excludes something else that it is told: its constructor raises."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.classes import SAMPLER
from torchlint.rules.data._loaders import Loader, is_a
from torchlint.values.value import Kind

Conflict = tuple[str, str, str]
"""The argument that cannot be, how the other side is called, and what to do."""


def conflicts(loader: Loader) -> Iterator[Conflict]:
    """Those that `DataLoader.__init__` finds, in its order."""
    no_workers = loader.setting("num_workers")
    if no_workers == 0 and no_workers is not False:
        if loader.setting("prefetch_factor") not in (..., None):
            yield "prefetch_factor", _workers(loader), "give it workers, or leave `prefetch_factor` out"
        if _is_true(loader.setting("persistent_workers")):
            yield "persistent_workers", _workers(loader), "give it workers, or leave `persistent_workers` out"
    if loader.is_iterable:
        if _is_true(loader.setting("shuffle")):
            yield "shuffle", "an `IterableDataset`", "leave it out, and shuffle where the dataset yields"
        for name in ("sampler", "batch_sampler"):
            if _is_something(loader, name):
                yield name, "an `IterableDataset`", "leave it out, and choose samples where the dataset yields"
    elif _is_something(loader, "sampler") and _is_true(loader.setting("shuffle")):
        yield "shuffle", "`sampler`", "leave `shuffle` out: the order is the sampler's"
    if _is_something(loader, "batch_sampler"):
        if loader["batch_size"] is not None and loader.setting("batch_size") not in (..., 1):
            yield "batch_size", "`batch_sampler`", "leave it out: the sampler yields whole batches"
        for name in ("shuffle", "drop_last"):
            if _is_true(loader.setting(name)):
                yield name, "`batch_sampler`", "leave it out: the sampler yields whole batches"
        if _is_something(loader, "sampler"):
            yield "sampler", "`batch_sampler`", "give it one of them"
    elif loader["batch_size"] is not None and loader.setting("batch_size") is None and _is_true(loader.setting("drop_last")):
        yield "drop_last", "`batch_size=None`", "leave one of them out: without batches there is no last one to drop"


def _workers(loader: Loader) -> str:
    return "`num_workers=0`" if loader["num_workers"] is not None else "`num_workers`, which is 0 by default"


def _is_true(setting: object) -> bool:
    return setting is not ... and bool(setting)


def _is_something(loader: Loader, name: str) -> bool:
    """Whether a sampler is known to be given; a name may stand for None as well."""
    given = loader.given(name)
    if given is None or given.optional:
        return False
    if given.kind is Kind.SAMPLER or not given.is_joined and is_a(given, SAMPLER):
        return True
    return isinstance(loader[name], (cst.List, cst.Tuple, cst.ListComp))

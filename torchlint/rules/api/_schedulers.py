"""Steps of schedulers that say which epoch it is: schedulers count for themselves, and warn who tells them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.declared import version_of
from torchlint.model.releases import supported
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import Finding
from torchlint.rules.api._guarded import is_guarded
from torchlint.values.value import Kind

_SINCE = "1.4"
_TAKING = frozenset(f"torch.optim.lr_scheduler.{name}" for name in ("ReduceLROnPlateau", "CosineAnnealingWarmRestarts", "SequentialLR"))
"""Schedulers whose step takes something on purpose: what was measured, or parts of an epoch; or takes nothing at all."""


def told_epochs(file: FileAnalysis) -> Iterator[Finding]:
    """`scheduler.step(epoch)`, of schedulers that torch makes."""
    for call in file.methods("step"):
        if len(call.args) != 1 or call.args[0].star or not isinstance(call.func, cst.Attribute):
            continue
        made = file.value(call.func.value)
        name = made.qualname or ""
        if made.kind is not Kind.SCHEDULER or not isinstance(made.node, cst.Call):
            continue  # handed over: it may be one that is told what was measured
        if not name.startswith("torch.optim.lr_scheduler.") or name in _TAKING:
            continue
        if supported(file, call).oldest < version_of(_SINCE) or is_guarded(file, call):
            continue  # a torch before that counts otherwise
        yield Finding(
            call.args[0],
            f"the epoch that `{name}.step` is told is deprecated since torch {_SINCE}; the call warns",
            help="leave it out and call `step()` once per epoch, after the optimizer has stepped: the scheduler counts for itself",
        )

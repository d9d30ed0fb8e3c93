"""Whether a backward call leaves the graph of what it ran through behind: asked to keep it, or kept away from a part of it."""

from __future__ import annotations

import libcst as cst

from torchlint.facts.signatures import signatures
from torchlint.syntax.file import SourceFile
from torchlint.syntax.tree import Node
from torchlint.values.binding import bind_any
from torchlint.values.events import Happens
from torchlint.values.flow import Flow

_KEEPING = ("retain_graph", "create_graph")


def frees(flow: Flow, call: Node) -> bool:
    """Whether a call, or each backward that a helper runs where it is called, frees all that the graph holds."""
    runs = [event for event in flow.events.values() if event.what is Happens.BACKWARD and event.site is call]
    return all(_frees(event.file, event.node) for event in runs) if runs else _frees(flow.file, call)


def _frees(file: SourceFile, call: Node) -> bool:
    if not isinstance(call, cst.Call):
        return True
    path = file.qualname(call.func)
    bound = bind_any(call, signatures(path or "torch.Tensor.backward"))
    partial = () if path == "torch.autograd.grad" else ("inputs",)
    return not any(bound.may_have(name) and bound.literal(name) not in (False, None) for name in (*_KEEPING, *partial))

"""What proves that a kept value has a graph: where backward ran through it, or which call the graph comes from."""

from __future__ import annotations

import libcst as cst

from torchlint.rules.autograd._retention import Kept, Related
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Value


def evidence(kept: Kept) -> tuple[Related, ...]:
    """The places that a finding rests on, with what is to be seen there; nothing where the finding itself shows it."""
    return (*_proof(kept), *((kept.second,) if kept.second is not None else ()))


def _proof(kept: Kept) -> tuple[tuple[cst.CSTNode, str], ...]:
    for value in kept.kept.trained():
        for call in (*value.roots, *value.differentiated):
            if _is_elsewhere(kept, call):
                return ((call, "backward ran through it here"),)
    origin = _origin(kept)
    if origin is not None and _is_elsewhere(kept, origin):
        return ((origin, f"the graph comes from `{_short(kept.file.source(origin))}` here"),)
    return ()


def _is_elsewhere(kept: Kept, node: Node) -> bool:
    """Whether the node stands in this file, and not within what is reported."""
    return node in kept.file.tree.order and not kept.file.is_inside(node, kept.value)


def _origin(kept: Kept) -> Node | None:
    """The last value on the way back that carries the graph, and was computed from nothing that does."""
    found: Node | None = None
    for value in kept.kept.trained():
        if value.has_graph and value.kind in (Kind.TENSOR, Kind.UNKNOWN) and not any(_carries(each) for each in value.sources):
            found = value.node if value.node is not None and value.node in kept.file.tree.order else found
    return found


def _carries(value: Value) -> bool:
    return value.has_graph and value.kind in (Kind.TENSOR, Kind.UNKNOWN)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:37] + "..."

"""Whether an expression of which nothing else is known is a device: by what it is given to, or by its name alone."""

from __future__ import annotations

import re
from enum import IntEnum

import libcst as cst

from torchlint.facts.classes import DEVICE
from torchlint.syntax.file import SourceFile
from torchlint.syntax.tree import Node

_NAME = re.compile(r"(^|_)(device|devices|rank|gpu|gpu_id|gpus)(_?\d+)?_*$|[a-z]Device$|^device_?id$", re.IGNORECASE)


class Sure(IntEnum):
    """How well it is known that an expression is a device."""

    BY_NAME = 0
    """It is called `device`, and nothing contradicts."""
    KNOWN = 1


def device(file: SourceFile, node: Node) -> Sure | None:
    """How sure it is that an unknown expression is a device; None where nothing says so."""
    while isinstance(node, cst.Subscript):
        node = node.value
    if isinstance(node, cst.Name) and any(_is_given_as_device(file, use) for use in file.references(node)):
        return Sure.KNOWN
    last = node.attr.value if isinstance(node, cst.Attribute) else node.value if isinstance(node, cst.Name) else ""
    return Sure.BY_NAME if _NAME.search(str(last)) else None


def _is_given_as_device(file: SourceFile, use: cst.Name) -> bool:
    """`torch.zeros(2, device=use)`, `torch.device(use)`, `x.to(device=use)`: torch is told that it is a device."""
    arg = file.parent(use)
    call = file.parent(arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(arg, cst.Arg) or not isinstance(call, cst.Call):
        return False
    by_keyword = arg.keyword is not None and arg.keyword.value == "device"
    if by_keyword and isinstance(call.func, cst.Attribute) and call.func.attr.value == "to":
        return True
    path = file.qualname(call.func) or ""
    return path == DEVICE or path.startswith("torch.") and by_keyword

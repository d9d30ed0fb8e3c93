"""Statements that compute a tensor from another one and leave it at that: the result is gone, the tensor is as it was.

Only what has no effect of its own counts, on a tensor with a name that is used afterwards: `torch.zeros(1).cuda()` wakes the device, and a
call that is timed is made for its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.classes import PARAMETER
from torchlint.facts.operations import operation
from torchlint.facts.tensors import MOVES, OPERATIONS
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Place, Value

_CLOCKS = ("time.", "timeit.", "torch.cuda.Event", "torch.cuda.synchronize", "torch.utils.benchmark.", "torch.profiler.")
_NOTEBOOK = ("# In[", "# %%", "# COMMAND ----------")
"""What stands between cells where a notebook is written as a script: the last value of a cell is shown."""


@dataclass(frozen=True)
class Discarded:
    """One such statement."""

    call: cst.Call
    tensor: cst.BaseExpression
    value: Value
    method: str

    @property
    def is_move(self) -> bool:
        """`x.to(device)`, `x.float()`, which do change a module in place."""
        return self.method in MOVES

    @property
    def keeps_kind(self) -> bool:
        """Whether the result surely has the shape and the element type of the tensor: plain numbers are all that comes in."""
        known = operation(f"torch.Tensor.{self.method}_")
        if known is None or "self" not in known.changes or self.is_move or self.method in ("detach", "squeeze", "unsqueeze", "t"):
            return False
        is_floating = self.value.has_graph or (self.value.dtype or "").startswith(("float", "bfloat", "complex"))
        return (
            is_floating
            and not (self.value.leaf and self.value.has_graph)
            and all(type(literal(each.value)) in (int, float) for each in self.call.args)
        )


def discarded(file: FileAnalysis, calls: Iterator[cst.Call]) -> Iterator[Discarded]:
    """Those of the calls that stand alone and are of this kind."""
    for call in calls:
        func = call.func
        if not isinstance(func, cst.Attribute) or not isinstance(func.value, (cst.Name, cst.Attribute, cst.Subscript)):
            continue
        method = func.attr.value
        if method.endswith("_") or method not in OPERATIONS and method not in MOVES or _writes(call):
            continue
        value = file.value(func.value)
        if value.kind is not Kind.TENSOR or method in ("to", "cuda") and (_is_there(file, value) or _is_made_so(call, value)):
            continue  # it is there already, as far as anybody can tell
        if not _is_wanted(file, call) and _is_used_again(file, func.value, call):
            yield Discarded(call, func.value, value, method)


def _is_there(file: FileAnalysis, value: Value) -> bool:
    """Whether a tensor was made on a device; of a parameter, what it was made of."""
    made = value.node
    inner = [file.value(arg.value) for arg in made.args[:1]] if isinstance(made, cst.Call) and file.qualname(made.func) == PARAMETER else []
    return any(each.place is Place.ACCELERATOR for each in [value, *inner])


def _is_made_so(call: cst.Call, value: Value) -> bool:
    """Whether all that a tensor is moved to was given where it was made: `torch.zeros(n, dtype=x.dtype)`, then `.to(x.dtype)`."""
    made = value.node
    given = [arg.value for arg in made.args if arg.keyword is not None] if isinstance(made, cst.Call) else []
    return bool(call.args) and all(any(arg.value.deep_equals(each) for each in given) for arg in call.args)


def _writes(call: cst.Call) -> bool:
    """`out=…`"""
    return any(arg.star or arg.keyword is not None and arg.keyword.value == "out" for arg in call.args)


def _is_wanted(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether the call is made to see whether it works or how long it takes, or shows its result."""
    function = file.function(call)
    if file.is_shown(call) or function is file.module and any(mark in file.text for mark in _NOTEBOOK):
        return True
    for each in file.ancestors(call):
        if isinstance(each, (cst.Try, cst.TryStar)) or isinstance(each, cst.With) and not _is_plain(file, each):
            return True
        if each is function:
            break
    calls = file.inside(function, cst.Call) if function is not file.module else file.nodes(cst.Call)
    return any((file.qualname(each.func) or "").startswith(_CLOCKS) for each in calls)


def _is_plain(file: FileAnalysis, block: cst.With) -> bool:
    """`with torch.no_grad():`"""
    paths = [file.qualname(item.item.func) if isinstance(item.item, cst.Call) else None for item in block.items]
    return all(
        (path or "").startswith(("torch.no_grad", "torch.inference_mode", "torch.autocast", "torch.amp.", "torch.enable_grad"))
        for path in paths
    )


def _is_used_again(file: FileAnalysis, tensor: cst.BaseExpression, call: cst.Call) -> bool:
    """Whether the tensor is read afterwards, on the next way round a loop too, or belongs to somebody else."""
    head: Node = tensor
    while isinstance(head, (cst.Attribute, cst.Subscript)):
        head = head.value
    if not isinstance(head, cst.Name):
        return False
    if not isinstance(tensor, cst.Name) or isinstance(file.value(tensor).node, cst.Param):
        return True
    later = (use for use in file.references(head) if use is not head and file.is_after(use, call))
    return any(not isinstance(file.parent(use), cst.AssignTarget) for use in later)

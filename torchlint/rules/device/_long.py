"""Whether a loop goes round often, as far as anybody can tell: over a loader, over rows, over batches that go to a device."""

from __future__ import annotations

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import HotLoops, Loop
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import descendants
from torchlint.values.value import Kind

_MANY = 50
"""How many of the values that something was computed from are looked at."""
_OFTEN = 64
"""So many rounds and what they add up to can be felt."""


def is_long(file: FileAnalysis, hot: HotLoops, loop: Loop) -> bool:
    """Whether it is positively known to; a loop over layers, heads or scales is short, and one over something unknown may be."""
    if not isinstance(loop, cst.For):
        return hot.is_hot(loop)
    source = file.value(loop.iter)
    if source.kind is not Kind.LOADER and any(each.is_tensor for each in (source, *source.sources)):
        return False  # the parts of one tensor
    if hot.is_hot(loop):
        return True
    queue = [source]
    for each in queue:
        if each.kind is Kind.LOADER:
            return True
        if not each.is_tensor and not each.batch:
            queue += each.sources[: max(0, _MANY - len(queue))]
    return counts_rows(file, loop)


def counts_rows(file: FileAnalysis, loop: cst.For) -> bool:
    """`for i in range(len(x))`, `range(x.size(0))`, `range(x.shape[0])`, `range(1000)`."""
    call = loop.iter
    if not isinstance(call, cst.Call) or file.value(call.func).qualname != "builtins.range" or not call.args:
        return False
    stop = call.args[min(1, len(call.args) - 1)].value
    written = literal(stop)
    if isinstance(written, int):
        return written >= _OFTEN
    return any(_is_extent(file, each) for each in descendants(stop))


def _is_extent(file: FileAnalysis, node: cst.CSTNode) -> bool:
    """How many rows a tensor, a dataset or a loader has."""
    if isinstance(node, cst.Call) and file.value(node.func).qualname == "builtins.len" and len(node.args) == 1:
        return file.value(node.args[0].value).kind in (Kind.TENSOR, Kind.DATASET, Kind.LOADER)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "size":
        first = literal(node.args[0].value) if node.args else ...
        return first == 0 and file.value(node.func.value).kind is Kind.TENSOR
    if isinstance(node, cst.Subscript) and isinstance(node.value, cst.Attribute) and node.value.attr.value == "shape":
        index = node.slice[0].slice
        first = literal(index.value) if isinstance(index, cst.Index) else ...
        return first == 0 and file.value(node.value.value).kind is Kind.TENSOR
    return False

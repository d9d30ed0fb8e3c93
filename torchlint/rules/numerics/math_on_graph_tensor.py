"""A function of `math` or numpy on a tensor with a graph: no gradient comes back through it."""

from collections.abc import Iterator

import libcst as cst

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.values.value import Value

_ASKING = frozenset(f"numpy.{name}" for name in "shape ndim size squeeze isscalar iterable may_share_memory shares_memory".split())
"""Functions that do not read the elements, or leave the work to the tensor."""
_PACKAGES = ("math.", "numpy.")


@rule("TL616", severity=ERROR, mentions=("math", "np", "numpy"))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.nodes(cst.Call):
        path = file.qualname(call.func) or ""
        if not path.startswith(_PACKAGES) or path in _ASKING or not call.args:
            continue
        given = [file.value(arg.value) for arg in call.args]
        if not any(each.is_tensor and each.has_graph and not each.optional for each in given):
            continue  # detached, or a number
        name = path.rpartition(".")[2]
        if path.startswith("numpy."):
            if any(isinstance(each, (cst.Try, cst.TryStar)) for each in file.ancestors(call)):
                continue  # the code is prepared for it
            message = f"`{file.source(call.func)}` makes an array of a tensor that requires gradients: it raises"
        elif _is_differentiated(file, file.value(call)) or _is_mixed_in(file, call):
            message = f"`{file.source(call.func)}` makes a plain number of the tensor: no gradient comes back through it"
        else:
            continue  # a number to look at: a perplexity
        yield Finding(call, message, help=f"use `torch.{name}`, or `.detach()` or `.item()` where no gradient is wanted")


def _is_mixed_in(file: FileModel, call: cst.Call) -> bool:
    """Whether arithmetic with something that has a graph follows at once."""
    above = file.parent(call)
    while isinstance(above, (cst.BinaryOperation, cst.UnaryOperation)):
        if file.value(above).has_graph:
            return True
        above = file.parent(above)
    return False


def _is_differentiated(file: FileModel, number: Value) -> bool:
    """Whether something with a graph is computed from the number: it is part of a loss."""
    return any(each.has_graph and each.is_tensor for each in file.consumers(number))

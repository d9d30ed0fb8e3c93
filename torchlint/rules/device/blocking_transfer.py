"""Batches in pinned memory that are copied to the device while Python waits."""

from collections.abc import Iterator
from itertools import islice

import libcst as cst

from torchlint import rewrite
from torchlint.facts.modules import LOADERS
from torchlint.model import FileModel
from torchlint.rule import INFO, KEEPS, UNSAFE, Finding, rule
from torchlint.values.value import Kind, Place, Value

_MANY = 50


@rule("TL409", severity=INFO, default=False, fix=UNSAFE, effect=KEEPS, mentions=("pin_memory",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.methods("to", "cuda"):
        pinning = next((each for loop in file.loops(call) if isinstance(loop, cst.For) and (each := _pinning(file, loop))), None)
        if pinning is None or not isinstance(call.func, cst.Attribute) or any(arg.star for arg in call.args):
            continue  # a loader that does not pin, as far as is known
        batch, moved = file.value(call.func.value), file.value(call)
        if not batch.batch or batch.kind not in (Kind.TENSOR, Kind.UNKNOWN) or moved.place is not Place.ACCELERATOR:
            continue  # something that was computed from it, or that does not go to a device
        if any(arg.keyword is not None and arg.keyword.value == "non_blocking" for arg in call.args):
            continue  # it says whether to wait
        yield Finding(
            call,
            f"`{file.source(call)}` waits for the copy, though the batch is in pinned memory",
            help="copy it with `non_blocking=True`: Python goes on, and the device keeps the order",
            fix=rewrite.insert_argument(call, "non_blocking=True"),
            related=((pinning, "pinned here"),),
        )


def _pinning(file: FileModel, loop: cst.For) -> cst.Arg | None:
    """The `pin_memory=True` of the loader that a loop goes over."""
    for value in islice(file.value(loop.iter).lineage(), _MANY):
        found = _pins(file, value)
        if found is not None:
            return found
    return None


def _pins(file: FileModel, value: Value) -> cst.Arg | None:
    made = value.node
    if value.kind is not Kind.LOADER or not isinstance(made, cst.Call) or file.qualname(made.func) not in LOADERS:
        return None
    named = (arg for arg in made.args if arg.keyword is not None and arg.keyword.value == "pin_memory")
    return next((arg for arg in named if _is_true(file, arg.value)), None)


def _is_true(file: FileModel, node: cst.BaseExpression) -> bool:
    """`True`, or `torch.cuda.is_available()`: pinning is for a GPU"""
    return file.literal(node) is True or isinstance(node, cst.Call) and (file.qualname(node.func) or "").endswith(".is_available")

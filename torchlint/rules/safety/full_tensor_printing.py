"""Tensors that are printed with all of their elements."""

import math
from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import INFO, KEEPS, UNSAFE, Finding, rule

_ENDLESS = frozenset({"math.inf", "numpy.inf", "torch.inf", "sys.maxsize"})
_MANY = 100_000


@rule("TL907", severity=INFO, default=False, fix=UNSAFE, effect=KEEPS, mentions=("set_printoptions",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    calls = list(file.calls("torch.set_printoptions"))
    for call in calls:
        if not any(_is_full(file, arg) for arg in call.args) or any(each is not call and file.is_after(each, call) for each in calls):
            continue  # for a while only
        is_statement = isinstance(file.parent(call), cst.Expr)
        has_more = len(call.args) > 1
        yield Finding(
            call,
            "from here on each tensor is printed in full: millions of numbers, copied from the GPU and written to the log",
            help="print a part of the tensor, or its shape",
            fix=rewrite.delete_statement(call) if is_statement and not has_more else None,
        )


def _is_full(file: FileModel, arg: cst.Arg) -> bool:
    """`profile="full"`, `threshold=math.inf`, `threshold=10_000_000`"""
    name, value = arg.keyword.value if arg.keyword is not None else "", file.literal(arg.value)
    if name == "threshold":
        endless = file.qualname(arg.value) in _ENDLESS or file.source(arg.value) in ("float('inf')", 'float("inf")')
        return endless or isinstance(value, (int, float)) and not math.isnan(value) and value >= _MANY
    return name == "profile" and value == "full"

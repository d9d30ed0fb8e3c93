"""Python's `sum`, `max`, `min`, `any` or `all` of a tensor: one element after the other, each a tensor of its own."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.device._elements import is_collected, is_costly

_BUILTINS = frozenset({"builtins.sum", "builtins.max", "builtins.min", "builtins.any", "builtins.all"})
_SIMPLE = (cst.Name, cst.Attribute, cst.Call, cst.Subscript)
_COMPARING = (cst.Equal, cst.NotEqual, cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)


@rule("TL413", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=("sum(", "max(", "min(", "any(", "all("), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.nodes(cst.Call):
        if not isinstance(call.func, cst.Name) or call.func.value not in ("sum", "max", "min", "any", "all"):
            continue
        if len(call.args) != 1 or call.args[0].star or call.args[0].keyword is not None:
            continue  # `max(a, b)`, `sum(x, start)`, `max(x, key=f)`
        if file.value(call.func).qualname not in _BUILTINS or not is_costly(file.analysis, call.args[0].value):
            continue  # another function of that name; or no tensor, by all that is known, or one of a few elements
        name = call.func.value
        yield Finding(
            call,
            f"`{name}` goes through the tensor in Python, one element after the other: some hundred times slower than its own `.{name}`",
            help=f"use the tensor's own `.{name}()`",
            fix=_fix(file, call, name, call.args[0].value),
            # The first two stop at the element that decides; what has just been collected in Python costs little more than that.
            is_for_askers=name in ("any", "all") or is_collected(file.analysis, call.args[0].value),
        )


def _fix(file: FileModel, call: cst.Call, name: str, tensor: cst.BaseExpression) -> Fix:
    source = file.source(tensor)
    receiver = source if isinstance(tensor, _SIMPLE) else f"({source})"
    if name == "sum":
        fix = rewrite.replace(call, f"{receiver}.sum(0)")
        return fix if _is_comparison(tensor) else fix.at_most(UNSAFE)  # bytes overflow in one, and are widened in the other
    text = f"{receiver}.{name}()"
    if name in ("any", "all") and not _is_asked(file, call):
        text = f"bool({text})"
    return rewrite.replace(call, text).at_most(UNSAFE)


def _is_comparison(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Comparison) and len(node.comparisons) == 1 and isinstance(node.comparisons[0].operator, _COMPARING)


def _is_asked(file: FileModel, call: cst.Call) -> bool:
    """Whether the answer only decides on a way: `if`, `while`, `not`, `assert`."""
    above = file.parent(call)
    return (
        isinstance(above, (cst.If, cst.While, cst.Assert)) and above.test is call or isinstance(getattr(above, "operator", None), cst.Not)
    )

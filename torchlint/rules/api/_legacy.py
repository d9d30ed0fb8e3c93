"""Calls as they were written before: a number ahead of the tensors that it scales, `async` as the name of an argument."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.facts.changes import legacy_orders
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import Finding
from torchlint.rules.api._guarded import is_guarded
from torchlint.syntax.tree import descendants
from torchlint.values.value import Kind, Value

_IMPURE = (cst.Await, cst.NamedExpr, cst.Yield)
_NUMBERS = frozenset(("alpha", "beta", "value"))
_WAITS = frozenset(("cuda", "to", "copy_", "type"))


def legacy_calls(file: FileAnalysis) -> Iterator[Finding]:
    """`x.add_(0.5, y)` for `x.add_(y, alpha=0.5)`."""
    for name, orders in legacy_orders().items():
        for written in (name, f"{name}_"):
            for call in file.methods(written):
                order = _order(file, call, name, orders)
                if order is not None and not is_guarded(file, call):
                    text = _today(file, call, order)
                    fix = rewrite.replace(call, text) if text is not None else None
                    message = f"`{written}` with a number ahead of tensors is deprecated since torch 1.5, and warns"
                    said = " and ".join(f"`{each}=`" for each in order if each in _NUMBERS)
                    yield Finding(call, message, help=f"pass the number as {said}", fix=fix)


def names_of_async(file: FileAnalysis) -> Iterator[Finding]:
    """`x.cuda(async=True)`, which Python has not read since `async` is a keyword."""
    if not file.parsed.is_respelled:
        return
    for name in sorted(_WAITS):
        for call in file.methods(name):
            for argument in call.args:
                if argument.keyword is not None and argument.keyword.value == "_sync":
                    yield Finding(
                        argument,
                        "`async` is a keyword since Python 3.7: the file is a syntax error there",
                        help="call it `non_blocking`, as torch does since 0.4",
                        fix=rewrite.rename_keyword(argument, "non_blocking"),
                    )


def _order(file: FileAnalysis, call: cst.Call, name: str, orders: tuple[str, ...]) -> list[str] | None:
    """Which parameters the positional arguments fill, if they are as many as only the old order takes."""
    if any(each.star or each.keyword for each in call.args) or not isinstance(call.func, cst.Attribute):
        return None
    path = file.qualname(call.func)
    if path is not None and path != f"torch.{name}":
        return None
    if path is None:
        receiver = file.value(call.func.value)
        if not receiver.is_tensor and not (
            receiver.kind is Kind.UNKNOWN and (call.func.attr.value.endswith("_") or _is_gradient(receiver))
        ):
            return None
    for order in orders:
        parameters = order.split()
        if path is not None:
            parameters.insert(1 if parameters[0] == "beta" else 0, "input")
        if len(parameters) == len(call.args):
            return parameters
    return None


def _is_gradient(value: Value) -> bool:
    """`p.grad`, `p.grad.data`: the other things that have an `add` are no gradients of anything."""
    return any(isinstance(each.node, cst.Attribute) and each.node.attr.value == "grad" for each in value.lineage())


def _today(file: FileAnalysis, call: cst.Call, order: list[str]) -> str | None:
    """The same call with its numbers behind, by name; None where it matters what is computed first."""
    given = dict(zip(order, call.args, strict=True))
    if any(isinstance(part, _IMPURE) for each in call.args for part in descendants(each.value)):
        return None
    tensors = [file.source(each.value) for name, each in given.items() if name not in _NUMBERS]
    numbers = [f"{name}={file.source(each.value)}" for name, each in given.items() if name in _NUMBERS]
    return f"{file.source(call.func)}({', '.join([*tensors, *numbers])})"

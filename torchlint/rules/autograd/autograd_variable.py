"""`torch.autograd.Variable`, which has done nothing but detach since tensors and variables became one."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, WARNING, Finding, Fix, rule
from torchlint.rules.autograd._versions import is_for_some_versions
from torchlint.values.value import Graph

_BRACKETED = (cst.Name, cst.Attribute, cst.Call, cst.Subscript)


@rule("TL108", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=("Variable",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls("torch.autograd.Variable", "torch.autograd.variable.Variable"):
        given = _given(call)
        if given is None or is_for_some_versions(file.analysis, call):
            continue  # `*args`, `**kwargs`, or something that is no call of it; or torch as old as 0.3 needs it
        volatile = given.get("volatile")
        records = volatile is not None and file.literal(volatile) not in (False, None)
        yield Finding(
            call,
            "`volatile` has no effect since torch 0.4: gradients are recorded"
            if records
            else "`Variable` is obsolete: every tensor is one since torch 0.4, and this call only detaches it",
            help="compute under `torch.no_grad()`" if records else "use the tensor itself",
            fix=None if records else _fix(file, call, given),
        )


def _given(call: cst.Call) -> dict[str, cst.BaseExpression] | None:
    """The arguments by name."""
    names = iter(("data", "requires_grad", "volatile"))
    found: dict[str, cst.BaseExpression] = {}
    for each in call.args:
        name = each.keyword.value if each.keyword is not None else next(names, None)
        if each.star or name is None:
            return None
        found[name] = each.value
    return found if "data" in found and found.keys() <= {"data", "requires_grad", "volatile"} else None


def _fix(file: FileModel, call: cst.Call, given: dict[str, cst.BaseExpression]) -> Fix | None:
    data, wanted = given["data"], given.get("requires_grad")
    text, value, flag = file.source(data), file.value(data), False if wanted is None else file.literal(wanted)
    is_new = value.fresh or not isinstance(data, (cst.Name, cst.Attribute)) and flag is False
    detached = is_new and (value.batch and not value.has_graph or value.is_tensor and value.graph is Graph.NO)
    if file.source(call).count("#") > text.count("#"):
        return None  # a comment between the parentheses would be lost
    if "\n" in text or not isinstance(data, _BRACKETED) and not (detached and flag is False):
        text = f"({text})"
    if not detached:
        text += ".detach()"
    if flag is not False and wanted is not None:
        text += f".requires_grad_({'' if flag is True else file.source(wanted)})"
    return rewrite.replace(call, text)

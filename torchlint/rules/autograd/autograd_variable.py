"""`torch.autograd.Variable`, which has done nothing but detach since tensors and variables became one."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, WARNING, Finding, Fix, rule
from torchlint.rules.autograd._volatile import is_felt, place
from torchlint.rules.autograd._wrapped import given, has_no_graph, is_new, is_no_tensor, is_off

_BRACKETED = (cst.Name, cst.Attribute, cst.Call, cst.Subscript)


@rule("TL108", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=("Variable",))
def check(file: FileModel) -> Iterator[Finding]:
    told: set[cst.CSTNode] = set()
    for call in file.calls("torch.autograd.Variable", "torch.autograd.variable.Variable"):
        arguments, supported = given(call), file.torch(call)
        if arguments is None or supported.is_doubtful or supported.oldest < (0, 4) or is_no_tensor(file.analysis, call, arguments["data"]):
            continue  # `*args`, `**kwargs`, or something that is no call of it; torch as old as 0.3 needs it; it raises a TypeError
        volatile = arguments.get("volatile")
        if volatile is not None and not is_off(volatile):
            is_news = place(file.analysis, call) not in told and is_felt(file.analysis, call, volatile)  # one `no_grad` mends all
            message, help = "`volatile` has no effect since torch 0.4: gradients are recorded", "compute under `torch.no_grad()`"
            yield Finding(call, message, help=help, is_for_askers=not is_news)
            told |= {place(file.analysis, call)} if is_news else set()
            continue
        data, wanted = arguments["data"], arguments.get("requires_grad")
        flag = False if wanted is None else file.literal(wanted)
        new = is_new(file.analysis, data, flag)
        does, help = _said("" if flag is True or wanted is None else file.source(wanted), flag, new, has_no_graph(file.analysis, data))
        message = f"`Variable` is obsolete: every tensor is one since torch 0.4, and this call {does}"
        is_cut = file.value(data).has_graph  # else it is only written at greater length
        yield Finding(call, message, help=help, fix=_fix(file, call, data, wanted, new), is_for_askers=not is_cut)


def _said(wanted: str, flag: object, new: bool, graphless: bool) -> tuple[str, str]:
    """What a call does, and what does the same."""
    if flag is False:
        nothing = "does nothing" if new else "finds no graph to cut"
        return nothing if graphless else "only detaches it", "use the tensor itself"
    makes = (
        "makes a leaf of it that takes gradients" if flag is True else "detaches it, and makes it a leaf that takes gradients if so told"
    )
    return makes, "ask the new tensor for gradients" if new else f"write `.detach().requires_grad_({wanted})`"


def _fix(file: FileModel, call: cst.Call, data: cst.BaseExpression, wanted: cst.BaseExpression | None, new: bool) -> Fix | None:
    text, flag = file.source(data, whole=True), False if wanted is None else file.literal(wanted)
    if file.source(call).count("#") > text.count("#"):
        return None  # a comment between the parentheses would be lost
    if "\n" in text or not isinstance(data, _BRACKETED) and not (new and flag is False):
        text = f"({text})"
    if not new:
        text += ".detach()"
    if flag is not False and wanted is not None:
        text += f".requires_grad_({'' if flag is True else file.source(wanted)})"
    return rewrite.replace(call, text)

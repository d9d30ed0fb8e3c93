"""A program that asks for a GPU without looking whether there is one."""

from collections.abc import Iterator

import libcst as cst

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.device._fallbacks import looks_for_accelerator
from torchlint.values.value import Kind


@rule("TL405", severity=INFO, default=False, mentions=("cuda",))
def check(file: FileModel) -> Iterator[Finding]:
    if looks_for_accelerator(file.analysis):
        return  # it does look, here or in another file
    places = [call for call in file.nodes(cst.Call) if _asks_for_cuda(file, call) and not file.when(call)]  # else a setting decides
    if places:
        more = f", and at {len(places) - 1} more places" if len(places) > 2 else ", and at another place" if len(places) == 2 else ""
        yield Finding(
            places[0],
            f"`{file.source(places[0])}` fails on a machine without an NVIDIA GPU{more}: nothing looks whether there is one",
            help='choose the device once: `device = "cuda" if torch.cuda.is_available() else "cpu"`',
            related=tuple((each, "and here") for each in places[1:]),
        )


def _asks_for_cuda(file: FileModel, call: cst.Call) -> bool:
    """`x.cuda()`, `x.to("cuda")`, `torch.device("cuda:0")`, `torch.zeros(3, device="cuda")`"""
    path, func = file.qualname(call.func) or "", call.func
    if isinstance(func, cst.Attribute) and func.attr.value in ("cuda", "to") and not path:
        if file.value(func.value).kind not in (Kind.TENSOR, Kind.MODULE):
            return False
        return func.attr.value == "cuda" and not call.args or any(_is_cuda(file, arg.value) for arg in call.args)
    if path == "torch.device":
        return any(_is_cuda(file, arg.value) for arg in call.args)
    given = (arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "device")
    return path.startswith("torch.") and any(_is_cuda(file, each) for each in given)


def _is_cuda(file: FileModel, node: cst.BaseExpression) -> bool:
    written = file.literal(node)
    return isinstance(written, str) and written.partition(":")[0] == "cuda"

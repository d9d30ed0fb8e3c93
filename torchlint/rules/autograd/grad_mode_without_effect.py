"""`torch.no_grad()` and its like called without being entered: gradients are recorded as before."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.facts.modules import GRAD_OFF, GRAD_ON
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule


@rule("TL106", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("no_grad", "inference_mode", "enable_grad"))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.discarded():
        path = file.qualname(call.func)
        if path not in GRAD_OFF | GRAD_ON or any(file.literal(each.value) is ... for each in call.args):
            continue  # another call, such as `set_grad_enabled`, which works as a statement; or it wraps a function
        yield Finding(
            call,
            f"`{file.source(call)}` alone does nothing: {_recorded(path)}",
            help=f"use it as a block: `with {file.source(call)}:`",
            fix=_entered(file, call, path),
        )
    for block in file.nodes(cst.With):
        for item in block.items:
            path = file.qualname(item.item)
            if path in GRAD_OFF | GRAD_ON:
                name = file.source(item.item)
                fix = rewrite.wrap(item.item, "{}()")
                yield Finding(item.item, f"`{name}` is not called: the `with` block cannot be entered", help=f"write `{name}()`", fix=fix)


def _recorded(path: str | None) -> str:
    return "gradients stay off where they were off" if path in GRAD_ON else "gradients are recorded as before"


def _entered(file: FileModel, call: cst.Call, path: str | None) -> Fix | None:
    """A block around what follows; at the top of a file, where functions follow that run later, the mode is set from here on."""
    if not isinstance(file.function(call), cst.Module):
        return rewrite.open_block(call, f"with {file.source(call)}:")
    name = file.spelling("torch.set_grad_enabled", call)
    return rewrite.replace(call, f"{name}({path in GRAD_ON})") if name is not None and not call.args else None

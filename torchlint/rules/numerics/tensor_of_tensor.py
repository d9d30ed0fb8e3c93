"""`torch.tensor` of what is a tensor already."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, UNSAFE, WARNING, Finding, rule
from torchlint.rules.numerics._copies import asks_whether_tensor, casts, copied, is_proven, of_tensors


@rule("TL609", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=("tensor(",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls("torch.tensor"):
        data = next((arg.value for arg in call.args if arg.keyword is None or arg.keyword.value == "data"), None)
        if data is None or any(arg.star for arg in call.args) or asks_whether_tensor(file.analysis, call, data):
            continue
        value, above = file.value(data), file.parent(call)
        if isinstance(above, cst.Attribute) and above.attr.value == "item":
            continue  # for a number in any case, whichever version of torch yields what
        if value.is_tensor and not value.optional:
            fix = copied(file.analysis, call, data)
            cut = ", and the graph of what it copies is cut off" if value.has_graph else ""
            yield Finding(
                call,
                f"`torch.tensor` of a tensor copies it by way of a constructor for data, with a warning{cut}",
                help="write `.detach().clone()`",
                fix=fix if fix is None or is_proven(file.analysis, value) else fix.at_most(UNSAFE),
            )
        elif of_tensors(file.analysis, data):
            stack, cast = file.spelling("torch.stack", call), casts(file.analysis, call, data)
            inside = data if isinstance(data, (cst.List, cst.Tuple)) else None
            text = file.source(data) if inside is None else file.source(inside, whole=True)
            yield Finding(
                call,
                "`torch.tensor` reads every tensor in the list as a number: more than one element raises, and the graph is cut off",
                help="use `torch.stack`",
                fix=rewrite.replace(call, f"{stack}({text}){cast}").at_most(UNSAFE) if stack is not None and cast is not None else None,
            )

"""The `ToTensor` of torchvision's second transforms, which is there for old code only."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule

PACKAGE = "torchvision.transforms.v2"
SINCE = (2, 1)
"""The torch of torchvision 0.16, the first in which `ToDtype` scales."""


@rule("TL807", severity=WARNING, fix=UNSAFE, effect=KEEPS, aliases=("TOR202",), mentions=("ToTensor",))
def check(file: FileModel) -> Iterator[Finding]:
    for node, _ in file.uses_of((f"{PACKAGE}.ToTensor",)):
        if file.torch(node).oldest < SINCE:
            continue  # what replaces it is not there in all versions
        call = file.parent(node)
        made = isinstance(call, cst.Call) and call.func is node and not call.args
        yield Finding(
            node,
            "`v2.ToTensor` is deprecated: it gives a plain tensor, of which the other transforms no longer know that it is an image",
            help="write `v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])`",
            fix=_fix(file, call) if isinstance(call, cst.Call) and made else None,
        )


def _fix(file: FileModel, call: cst.Call) -> Fix:
    v2 = file.source(call.func.value) if isinstance(call.func, cst.Attribute) else file.spelling(PACKAGE, call)
    torch = file.spelling("torch", call)
    text = "{v2}.Compose([{v2}.ToImage(), {v2}.ToDtype({torch}.float32, scale=True)])"
    fix = rewrite.replace(call, text.format(v2=v2 or "v2", torch=torch or "torch"))
    if torch is None:
        fix += rewrite.add_import("torch")
    if v2 is None:
        fix += rewrite.add_from_import("torchvision.transforms", "v2")
    return fix

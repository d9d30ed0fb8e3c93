"""A tensor that is to be trained, and is moved or computed with as soon as it is made: what is kept is no leaf."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.facts.factories import DEVICE_FACTORIES, DRAWN_FACTORIES
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, Fix, rule
from torchlint.rules.autograd._leaves import LostLeaf, device_of, lost_leaves


@rule("TL110", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("requires_grad", "Parameter"))
def check(file: FileModel) -> Iterator[Finding]:
    for lost in lost_leaves(file.analysis):
        yield Finding(
            lost.result,
            f"`{file.source(lost.made.func)}(...)` is a leaf, but what is kept is the result of {_step(lost)}: it is never trained",
            help="ask for gradients at the end" if not lost.is_parameter else "move the data, and make the parameter of that",
            fix=_fix(file, lost),
            related=((lost.wanted, "a leaf is needed here"),),
        )


def _step(lost: LostLeaf) -> str:
    func = lost.step.func if isinstance(lost.step, cst.Call) else None
    return f"`.{func.attr.value}(...)`" if isinstance(func, cst.Attribute) else "a calculation"


def _fix(file: FileModel, lost: LostLeaf) -> Fix | None:
    move, device = lost.step, device_of(file.analysis, lost)
    if lost.is_parameter:  # registered from now on, which the keys of a checkpoint show
        data = lost.made.args[0].value if lost.made.args and lost.made.args[0].keyword is None else None
        if (
            device is None
            or not isinstance(move, cst.Call)
            or not isinstance(data, cst.Call)
            or file.qualname(data.func) not in DEVICE_FACTORIES
        ):
            return None
        return (rewrite.insert_argument(data, f"device={device}") + rewrite.unwrap_method(move)).at_most(UNSAFE)
    asked = next((each for each in lost.made.args if each.keyword is not None and each.keyword.value == "requires_grad"), None)
    if asked is None:
        return None
    path = file.qualname(lost.made.func)
    if device is not None and isinstance(move, cst.Call) and path in DEVICE_FACTORIES:
        fix = rewrite.insert_argument(lost.made, f"device={device}") + rewrite.unwrap_method(move)
        return fix.at_most(UNSAFE) if path in DRAWN_FACTORIES else fix  # drawn by another generator
    return rewrite.remove_argument(asked) + rewrite.method(lost.result, "requires_grad_")

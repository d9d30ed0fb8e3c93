"""A model that is put into eval mode in its training loop, and never back into train mode."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.training._modes import left_in_eval
from torchlint.values.events import Event


@rule("TL206", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("eval(", "train(False", "train(mode=False"))
def check(file: FileModel) -> Iterator[Finding]:
    reported: set[cst.CSTNode] = set()
    for training in file.trainings():
        for switch in left_in_eval(training):
            node = switch.node if switch.file is file.analysis else switch.site
            if node not in reported:
                reported.add(node)
                yield Finding(
                    node,
                    "the model is left in eval mode: from the second round on it trains without dropout and with frozen normalisation",
                    help="call `train()` at the beginning of each round",
                    fix=_fix(file, switch, training.node),
                    related=((training.node, "in every round of this loop"),) if file.is_after(node, training.node) else (),
                )


def _fix(file: FileModel, switch: Event, loop: cst.CSTNode) -> Fix | None:
    call = switch.node
    if switch.chain or not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return None
    if not isinstance(loop, (cst.For, cst.While)) or not isinstance(loop.body, cst.IndentedBlock):
        return None
    return rewrite.insert_before(loop.body.body[0], f"{file.source(call.func.value)}.train()").saying("train in train mode")

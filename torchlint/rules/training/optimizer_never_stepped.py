"""An optimizer whose gradients are cleared and computed, and that never takes a step."""

from collections.abc import Iterator

import libcst as cst

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.training._optimizers import built
from torchlint.rules.training._unstepped import trains_without_step


@rule("TL228", severity=ERROR, mentions=("backward",))
def check(file: FileModel) -> Iterator[Finding]:
    for optimizer in built(file.analysis):
        if optimizer.is_handed_on():
            continue  # stepped, or given to somebody who may step it
        backward = trains_without_step(optimizer)
        if backward is None:
            continue  # the gradients are used in another way, or are not those of its parameters
        name = file.source(optimizer.target) if optimizer.target is not None else "the optimizer"
        node: cst.CSTNode = backward.node if backward.file is file.analysis else backward.site
        yield Finding(
            node,
            f"gradients are computed and `{name}` never takes a step with them: nothing is ever learnt",
            help=f"call `{name}.step()` after `backward`",
            related=((optimizer.call, "the optimizer is made here"),),
        )

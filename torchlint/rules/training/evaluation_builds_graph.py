"""An evaluation that records gradients nobody asks for."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.model.evaluation import Evaluation
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.values.events import Happens


@rule("TL204", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("eval(", "train(False", "train(mode=False"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    reported: set[cst.CSTNode] = set()
    for found in file.evaluations():
        mode = found.mode
        if mode is None or mode.what is not Happens.EVAL or not found.builds_graph or found.may_differentiate:
            continue  # not known to be an evaluation, without gradients already, or they are wanted
        if found.scope in reported:
            continue
        reported.add(found.scope)
        yield Finding(
            found.calls[0],
            "gradients are recorded for an evaluation: every forward pass keeps its activations for a backward that never comes",
            help="evaluate under `torch.no_grad()`",
            fix=_fix(file, found),
            related=((mode.node, "in eval mode since here", mode.file),),
        )


def _fix(file: FileModel, found: Evaluation) -> Fix | None:
    name = file.spelling("torch.no_grad", found.function)
    if not isinstance(found.function, cst.FunctionDef) or name is None or found.is_beside_training:
        return None
    return rewrite.decorate(found.function, f"@{name}()").saying("record no gradients in this function")

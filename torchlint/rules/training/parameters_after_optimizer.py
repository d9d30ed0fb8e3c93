"""A layer that a model gets after its optimizer has taken the parameters, so that it is never trained."""

from collections.abc import Iterator

import libcst as cst

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.training._optimizers import Built, built, new_part, replacements


@rule("TL212", severity=ERROR, mentions=("optim",))
def check(file: FileModel) -> Iterator[Finding]:
    optimizers = list(built(file.analysis))
    if any(True for _ in file.methods("add_param_group")):
        return  # that is how the new parameters get there
    reported: set[cst.CSTNode] = set()
    for optimizer in optimizers:
        for module in optimizer.modules:
            for node in replacements(file.analysis, file.function(optimizer.call), module):
                added = new_part(file.analysis, node)
                if added is None or node in reported or not file.is_after(node, optimizer.call) or not optimizer.is_used_after(node):
                    continue
                later = (each for each in optimizers if file.function(each.call) is file.function(node))
                if any(file.is_after(each.call, node) for each in later) or _is_elsewhere(file, optimizer, node):
                    continue  # another optimizer is made afterwards; or the two are never reached together
                reported.add(node)
                yield Finding(
                    added,
                    "this layer is added after the optimizer took the parameters: it is never trained",
                    help="build the optimizer after the model is complete",
                    related=((optimizer.call, "the optimizer knows the parameters of here"),),
                )


def _is_elsewhere(file: FileModel, optimizer: Built, node: cst.CSTNode) -> bool:
    """Whether the optimizer and the new layer stand in different arms of a question, or the layer is made of the old one."""
    arms = {each.question: each.arm for each in file.when(optimizer.call)}
    apart = any(arms.get(each.question, each.arm) != each.arm for each in file.when(node))
    return apart or "requires_grad" in file.source(file.statement(node))

"""A training loop that never clears its gradients."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.model.training import TrainingLoop, receiver
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, Fix, rule
from torchlint.values.events import Event


@rule("TL201", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("backward",))
def check(file: FileModel) -> Iterator[Finding]:
    reported: set[tuple[cst.CSTNode, cst.CSTNode]] = set()
    for loop in file.trainings():
        if loop.is_managed or loop.runs_once:
            continue  # a framework clears; or there is no second iteration to suffer
        for step in loop.steps:
            backward = loop.backward_of(step)
            if backward is None or loop.makes(step.target):
                continue  # gradients come from an inner loop; or every iteration has an optimizer of its own
            if loop.is_rarer(step, backward):
                continue  # accumulation: not every backward is followed by a step
            if loop.clears(step):
                continue
            node = backward.node if backward.file is file.analysis else backward.site
            if (node, step.node) in reported:
                continue
            reported.add((node, step.node))
            yield _finding(file, loop, step, backward, node)


def _finding(file: FileModel, loop: TrainingLoop, step: Event, backward: Event, node: cst.CSTNode) -> Finding:
    expression = receiver(step)
    name = step.file.source(expression) if expression is not None else "the optimizer"
    return Finding(
        node,
        f"the gradients that `{name}` steps with are never cleared: every batch adds to those of all batches before it",
        help=f"call `{name}.zero_grad()` once per iteration, before `backward`",
        fix=_fix(file, loop, step, backward, node, name),
        related=((step.node, "stepped here", step.file),),
    )


def _fix(file: FileModel, loop: TrainingLoop, step: Event, backward: Event, node: cst.CSTNode, name: str) -> Fix | None:
    if receiver(step) is None or step.file is not file.analysis:
        return None
    home = file.function(step.node)
    if file.function(node) is not home and not any(each is home for each in file.ancestors(node)):
        return None  # the optimizer has no name where backward is called
    fix = rewrite.insert_before(node, f"{name}.zero_grad()").saying(f"clear the gradients of `{name}` before `backward`")
    certain = len(loop.steps) == 1 and backward.node is backward.site
    return fix if certain else fix.at_most(UNSAFE)

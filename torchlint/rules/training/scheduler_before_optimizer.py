"""A learning-rate scheduler that steps before the optimizer does, so that its schedule runs one step ahead."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.training._orders import is_statement
from torchlint.rules.training._schedules import Early, early


@rule("TL210", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("scheduler",))
def check(file: FileModel) -> Iterator[Finding]:
    reported: set[cst.CSTNode] = set()
    for found in early(file.analysis):
        if found.node not in reported:
            reported.add(found.node)
            yield Finding(
                found.node,
                "the scheduler steps before the optimizer: its schedule runs one step ahead",
                help="call the scheduler's `step()` after the optimizer's",
                fix=_fix(file, found),
                related=((found.step.node, "the optimizer steps here", found.step.file),),
            )


def _fix(file: FileModel, found: Early) -> Fix | None:
    last = found.last
    if last is None or not is_statement(file.analysis, found.node):
        return None  # some iterations end before that
    moved = rewrite.insert_after(last, file.source(found.node)) + rewrite.delete_statement(found.node)
    return moved.saying("step the scheduler after the optimizer")

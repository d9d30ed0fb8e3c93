"""Gradients that are cleared between `backward` and the step, so that nothing is ever learnt."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.training._orders import courses, is_statement, shares_block
from torchlint.values.events import Event, Happens


@rule("TL202", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("backward",))
def check(file: FileModel) -> Iterator[Finding]:
    reported: set[cst.CSTNode] = set()
    for course in courses(file.analysis):
        others = (Happens.REWRITE, Happens.OPAQUE)
        for backward, clear, step in course.timeline.always(Happens.BACKWARD, Happens.CLEAR, Happens.STEP, among=others):
            if not course.is_here(clear) or clear.node in reported:
                continue  # reported where it is written
            if course.refills(clear, step):
                continue  # a call that cannot be followed may have put the gradients back
            reported.add(clear.node)
            yield Finding(
                clear.node,
                "the gradients are cleared between `backward` and the step, which then changes nothing: nothing is ever learnt",
                help="clear them before `backward`",
                fix=_fix(file, backward, clear) if course.is_here(backward) else None,
                related=((backward.node, "computed here", backward.file), (step.node, "used here", step.file)),
            )


def _fix(file: FileModel, backward: Event, clear: Event) -> Fix | None:
    if backward.chain or clear.chain or not is_statement(file.analysis, clear.node):
        return None  # one of them happens in a function that others may call, too
    if not shares_block(file.analysis, backward.node, clear.node) or not is_statement(file.analysis, backward.node):
        return None
    moved = rewrite.insert_before(backward.node, file.source(clear.node)) + rewrite.delete_statement(clear.node)
    return moved.saying("clear the gradients before `backward`")

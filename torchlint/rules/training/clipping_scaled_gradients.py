"""Gradients that are clipped while a gradient scaler's factor is still in them."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.training._orders import Course, courses
from torchlint.rules.training._scaling import clipped_while_scaled
from torchlint.values.events import Event, Happens


@rule("TL208", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("clip_grad",))
def check(file: FileModel) -> Iterator[Finding]:
    reported: set[cst.CSTNode] = set()
    for course in courses(file.analysis):
        for clip, step in clipped_while_scaled(course):
            if course.is_here(clip) and clip.node not in reported:
                reported.add(clip.node)
                yield Finding(
                    clip.node,
                    "the gradients are clipped while the scaler's factor is in them: the limit is thousands of times too small",
                    help="call `unscale_` on the optimizer before clipping",
                    fix=_fix(file, course, clip, step),
                    related=((step.node, "unscaled here only", step.file),),
                )


def _fix(file: FileModel, course: Course, clip: Event, step: Event) -> Fix | None:
    call = step.node
    if clip.chain or step.chain or course.timeline.has(Happens.UNSCALE) or not isinstance(call, cst.Call):
        return None  # a second `unscale_` before the next step raises
    if not isinstance(call.func, cst.Attribute):
        return None
    text = f"{file.source(call.func.value)}.unscale_({file.source(call.args[0].value)})"
    return rewrite.insert_before(clip.node, text).saying("unscale the gradients before clipping")

"""Gradients that are clipped where no step uses them: after it, or before `backward`."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.training._orders import Course, courses, is_statement, shares_block
from torchlint.values.events import Event, Happens


@rule("TL207", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("clip_grad",))
def check(file: FileModel) -> Iterator[Finding]:
    helpful: set[cst.CSTNode] = set()
    useless: dict[cst.CSTNode, tuple[Course, Event]] = {}
    for course in courses(file.analysis):
        for seen in course.timeline.all(Happens.CLIP):
            if not course.is_here(seen.event):
                continue
            if seen.sure and not course.uses_clipped(seen.event) and not _measures(file, seen.event.node):
                useless.setdefault(seen.event.node, (course, seen.event))
            else:
                helpful.add(seen.event.node)  # for another optimizer, or in another caller's loop
    for node, (course, clip) in useless.items():
        if node in helpful:
            continue
        late = file.is_after(clip.site, course.step.site)
        yield Finding(
            node,
            f"the gradients are clipped {'after the step that used them' if late else 'before they are computed'}, which limits nothing",
            help="clip between `backward` and the step",
            fix=_fix(file, course, clip),
            related=((course.step.node, "stepped here", course.step.file),),
        )


def _measures(file: FileModel, clip: cst.CSTNode) -> bool:
    """Whether the call only reads off the norm: there is no limit."""
    assert isinstance(clip, cst.Call)
    return any("inf" in file.source(each.value) for each in clip.args[1:])


def _fix(file: FileModel, course: Course, clip: Event) -> Fix | None:
    step = course.step
    if clip.chain or step.chain or not is_statement(file.analysis, clip.node) or not shares_block(file.analysis, clip.node, step.node):
        return None
    moved = rewrite.insert_before(step.node, file.source(clip.node)) + rewrite.delete_statement(clip.node)
    return moved.saying("clip before the step")

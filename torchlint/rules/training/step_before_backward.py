"""A step that comes before `backward` in every iteration of its loop."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.training._orders import Course, courses, is_statement, runs_backward_elsewhere, shares_block
from torchlint.rules.training._scaling import scaler
from torchlint.values.events import Event, Happens


@rule("TL203", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("backward",))
def check(file: FileModel) -> Iterator[Finding]:
    reported: set[cst.CSTNode] = set()
    for course in courses(file.analysis):
        if not course.training.repeats or runs_backward_elsewhere(course.training):
            continue  # one step, or gradients that come from somewhere else as well
        backward = _late_backward(course)
        if backward is None or not course.is_here(course.step) or course.step.node in reported:
            continue
        reported.add(course.step.node)
        yield Finding(
            course.step.node,
            "the step comes before `backward`: it uses the gradients of the iteration before, or none where those were cleared",
            help="step after `backward`",
            fix=_fix(file, course, backward),
            related=((backward.node, "computed here", backward.file),),
        )


def _late_backward(course: Course) -> Event | None:
    """The first backward, if every iteration that trains takes its one step before it."""
    runs = [run for run in course.runs(Happens.BACKWARD, Happens.STEP) if run.has(Happens.BACKWARD, Happens.STEP)]
    found: Event | None = None
    for run in runs:
        steps = [index for index, each in enumerate(run.seen) if course.is_own(each.event)]
        backwards = [index for index, each in enumerate(run.seen) if each.what is Happens.BACKWARD]
        if not steps or not backwards or steps[-1] > backwards[0] or not run.seen[backwards[0]].sure:
            return None  # some iterations accumulate, or step after a backward
        found = run.seen[backwards[0]].event
    return found


def _fix(file: FileModel, course: Course, backward: Event) -> Fix | None:
    step = course.step
    if backward.chain or step.chain or scaler(step) is not None or step.value is not None:
        return None
    if not (is_statement(file.analysis, step.node) and is_statement(file.analysis, backward.node)):
        return None
    if not shares_block(file.analysis, step.node, backward.node):
        return None
    moved = rewrite.insert_after(backward.node, file.source(step.node)) + rewrite.delete_statement(step.node)
    return moved.saying("step after `backward`")

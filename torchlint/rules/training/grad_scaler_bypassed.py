"""A scaled loss with a step that goes past the gradient scaler, or a scaler that is never updated."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.training._orders import courses, is_statement
from torchlint.rules.training._scaling import is_updated, scaled_steps, scaler
from torchlint.values.events import Event


@rule("TL209", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("scale(",))
def check(file: FileModel) -> Iterator[Finding]:
    reported: set[cst.CSTNode] = set()
    for course in courses(file.analysis):
        found = scaled_steps(course)
        if len({scaler(step) is None for step, _ in found}) > 1:
            continue  # some ways go through the scaler: which of them are taken together, a condition decides
        for step, backward in found:
            bypasses = scaler(step) is None
            if not course.is_here(step, backward) or step.node in reported or not bypasses and is_updated(file.analysis):
                continue
            reported.add(step.node)
            yield Finding(
                step.node,
                "the step uses gradients that still hold the scaler's factor"
                if bypasses
                else "the scaler is never updated: its second step raises, and its factor never adapts",
                help="let the scaler take the step, then update it" if bypasses else "call `update()` after the step",
                fix=_fix(file, step, backward),
                related=((backward.node, "scaled here"),),
            )


def _fix(file: FileModel, step: Event, backward: Event) -> Fix | None:
    call, scaled = step.node, backward.target.node if backward.target is not None else None
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or not is_statement(file.analysis, call):
        return None
    if not isinstance(scaled, cst.Call) or not isinstance(scaled.func, cst.Attribute) or step.value is not None:
        return None
    if file.function(call) is not file.function(scaled):
        return None  # the scaler may have another name there
    name = file.source(scaled.func.value)
    update = None if is_updated(file.analysis) else rewrite.insert_after(call, f"{name}.update()")
    if scaler(step) is not None or call.args:
        return update
    taken = rewrite.replace(call, f"{name}.step({file.source(call.func.value)})").saying("let the scaler take the step")
    return taken + update if update is not None else taken

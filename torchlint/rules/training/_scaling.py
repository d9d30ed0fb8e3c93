"""Gradients under a gradient scaler: which steps and clippings meet them with the scaler's factor still in them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.training._orders import Course
from torchlint.syntax.literals import literal
from torchlint.values.events import Event, Happens
from torchlint.values.flow import Analysis
from torchlint.values.value import Kind, Value


def scaler(event: Event) -> Value | None:
    """The gradient scaler that takes a step, or that scaled what runs backward."""
    scaled = event.target.node if event.target is not None else None
    call = event.node if event.what is Happens.STEP else scaled
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or call.func.attr.value not in ("step", "scale"):
        return None
    file = event.file
    if not isinstance(file, Analysis) or call not in file.tree.order or not call.args:
        return None
    found = file.value(call.func.value)
    return found if found.kind is Kind.SCALER and not _is_switched_off(found) else None


def _is_switched_off(scaler: Value) -> bool:
    """`GradScaler(enabled=False)`"""
    args = scaler.node.args if isinstance(scaler.node, cst.Call) else ()
    return any(arg.keyword is not None and arg.keyword.value == "enabled" and literal(arg.value) is False for arg in args)


def _is_scaled(clip: Event) -> bool:
    """Whether the limit is: it speaks of a scale."""
    args = clip.node.args[1:] if isinstance(clip.node, cst.Call) else ()
    return any("scale" in clip.file.source(arg.value) for arg in args)


def clipped_while_scaled(course: Course) -> Iterator[tuple[Event, Event]]:
    """The clippings between a backward of a scaled loss and the scaler's step, where nothing takes the factor out on the way."""
    for run in course.runs(Happens.BACKWARD, Happens.CLIP, Happens.UNSCALE, Happens.STEP, Happens.REWRITE, Happens.OPAQUE):
        clip: Event | None = None
        is_scaled = False
        for each in run.seen:
            if each.what is Happens.BACKWARD:
                is_scaled, clip = scaler(each.event) is not None, None
            elif each.what is Happens.CLIP and each.sure and is_scaled and not _is_scaled(each.event):
                clip = each.event
            elif each.what in (Happens.UNSCALE, Happens.REWRITE, Happens.OPAQUE):
                is_scaled = False  # or it may be, by hand or out of sight
            elif course.is_own(each.event) and clip is not None and scaler(each.event) is not None:
                yield clip, each.event


def scaled_steps(course: Course) -> list[tuple[Event, Event]]:
    """The steps that follow a scaled backward, each with that; where the factor may have been taken out in between they are left out."""
    found: list[tuple[Event, Event]] = []
    for run in course.runs(Happens.BACKWARD, Happens.UNSCALE, Happens.STEP, Happens.REWRITE, Happens.OPAQUE):
        backward: Event | None = None
        for each in run.seen:
            if each.what is Happens.BACKWARD:
                backward = each.event if scaler(each.event) is not None else None
            elif course.is_own(each.event) and backward is not None:
                found.append((each.event, backward))
            elif each.what in (Happens.UNSCALE, Happens.REWRITE, Happens.OPAQUE):
                backward = None
    return found


def is_updated(file: FileAnalysis) -> bool:
    """Whether the file updates a gradient scaler, or something of which it cannot be told what it is."""
    receivers = (call.func.value for call in file.methods("update") if isinstance(call.func, cst.Attribute))
    return any(file.value(each).kind in (Kind.SCALER, Kind.UNKNOWN) for each in receivers)

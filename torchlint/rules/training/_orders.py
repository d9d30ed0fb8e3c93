"""In which order one optimizer's gradients are computed, unscaled, clipped, used and cleared, wherever code trains."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from torchlint.model.timeline import Run, Timeline
from torchlint.model.training import TrainingLoop, calls, is_by_hand, loops
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node
from torchlint.values.events import Event, Happens
from torchlint.values.value import Kind, Value

_HOLDS_WEIGHTS = frozenset({Kind.MODULE, Kind.OPTIMIZER, Kind.PARAMETERS, Kind.OBJECT})


@dataclass(eq=False)
class Course:
    """One optimizer in a loop, or in a function that takes a step outside of loops."""

    training: TrainingLoop
    step: Event
    """Its first step."""
    optimizer: Value
    timeline: Timeline

    @property
    def file(self) -> FileAnalysis:
        return self.training.file

    def is_here(self, *events: Event) -> bool:
        """Whether all of this is written in the file that is read; else it is reported where it is."""
        return all(each.file is self.file for each in events)

    def is_own(self, step: Event) -> bool:
        return step.what is Happens.STEP and step.target is self.optimizer

    def runs(self, *kinds: Happens) -> list[Run]:
        """The ways through; none where there are too many to look at."""
        return self.timeline.runs(*kinds) or []

    def uses_clipped(self, clip: Event) -> bool:
        """Whether there may be gradients at a clipping that a step has yet to use."""
        runs = self.runs(Happens.BACKWARD, Happens.CLIP, Happens.STEP)
        if not any(run.has(Happens.BACKWARD) for run in runs) or runs_backward_elsewhere(self.training):
            return True
        for run in runs:
            filled = False
            for each in run.seen:
                if each.event is clip and filled:
                    return True
                filled = each.what is Happens.BACKWARD or filled and not self.is_own(each.event)
            if filled and not run.left:
                return True  # carried into the next iteration
        return False

    def refills(self, first: Event, last: Event) -> bool:
        """Whether a call that cannot be followed may write gradients between two events."""
        between = False
        for event in self.training.events:
            if event is last:
                return False
            if between and event.what is Happens.OPAQUE and (_speaks_of(event, "grad") or any(map(_has_weights, event.values))):
                return True
            between = between or event is first
        return False


def courses(file: FileAnalysis) -> list[Course]:
    """Every optimizer of every loop and of every function that takes steps; weights stepped by hand are left out."""
    return file.once(_courses)


def _courses(file: FileAnalysis) -> list[Course]:
    return [
        Course(training, step, step.target, training.timeline(step.target))
        for training in (*loops(file), *calls(file))
        for step in training.steps
        if step.target is not None and not is_by_hand(step) and not training.makes(step)
    ]


def runs_backward_elsewhere(training: TrainingLoop) -> bool:
    """Whether gradients may also come from a loop inside, be written by hand, or come from a call that only its name tells of."""
    for event in training.events:
        if event.what is Happens.CLEAR and _is_filled(event):
            return True
        if event.what is Happens.BACKWARD and not training.is_direct(event):
            return True
        if event.what is Happens.OPAQUE and _speaks_of(event, "backward"):
            return True
    return False


def _is_filled(clear: Event) -> bool:
    """Whether a gradient is replaced by another one: `p.grad = g`."""
    target = clear.file.parent(clear.node)
    assigned = clear.file.parent(target) if isinstance(target, cst.AssignTarget) else None
    return isinstance(assigned, cst.Assign) and not (isinstance(assigned.value, cst.Name) and assigned.value.value == "None")


def is_statement(file: FileAnalysis, node: Node) -> bool:
    """Whether a call stands alone as a statement, so that it can be taken elsewhere."""
    return isinstance(file.parent(node), cst.Expr)


def shares_block(file: FileAnalysis, one: Node, other: Node) -> bool:
    """Whether two statements are carried out together or not at all: they stand in the same block."""
    return file.parent(file.statement(one)) is file.parent(file.statement(other))


def _speaks_of(event: Event, word: str) -> bool:
    func = event.node.func if isinstance(event.node, cst.Call) else None
    name = func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""
    return word in str(name).lower()


def _has_weights(value: Value) -> bool:
    return value.kind in _HOLDS_WEIGHTS

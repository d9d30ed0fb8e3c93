"""Loops that compute gradients for an optimizer which takes no step with them."""

from __future__ import annotations

import libcst as cst

from torchlint.model.training import trained_modules
from torchlint.rules.training._optimizers import Built
from torchlint.syntax.tree import runs_once
from torchlint.values.events import Event, Happens


def trains_without_step(made: Built) -> Event | None:
    """The backward of a loop that clears this optimizer, if nothing else is done with gradients in the file.

    Who reads `.grad`, or steps by hand or through a call out of sight, uses them.
    """
    file = made.file
    if file.tree.attributes.get("grad") or not made.modules:
        return None
    for flow in [file.flow(each) for each in (file.module, *file.nodes(cst.FunctionDef)) if file.relevance.reaches_backward(each)]:
        events = list(flow.events.values())
        for clear in events:
            if clear.what is not Happens.CLEAR or clear.target is not made.value:
                continue
            loops = [each for each in file.tree.loops(clear.site) if not runs_once(each)]
            inside = [each for each in events if loops and loops[0] in file.tree.loops(each.site)]
            if any(each.what is Happens.STEP and not _is_other(each, made) for each in inside):
                continue
            models = trained_modules(made.value)
            for event in inside:
                trained = event.target.trained() if event.what is Happens.BACKWARD and event.target is not None else ()
                if any(id(each) in models for each in trained):
                    return event
    return None


def _is_other(step: Event, made: Built) -> bool:
    """Whether a step is that of another optimizer, made in sight of other parameters."""
    return (
        step.target is not None
        and isinstance(step.target.node, cst.Call)
        and not trained_modules(step.target) & trained_modules(made.value)
    )

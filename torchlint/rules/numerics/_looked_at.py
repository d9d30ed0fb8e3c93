"""Who makes use of a result: whether gradients are asked of it, and whether anybody looks at it."""

from __future__ import annotations

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.values.events import Happens


def is_a_mere_figure(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a call stands at the top of a script or notebook, and no backward runs through what it returns."""
    if file.function(call) is not file.module:
        return False  # whoever calls the function may differentiate it
    value = file.value(call)
    events = file.flow(file.function(call)).events.values()
    targets = (each.target for each in events if each.what is Happens.BACKWARD and each.target is not None)
    return not any(each is value for target in targets for each in target.trained())


def is_only_differentiated(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether `backward()` is all that is asked of what a call returns: it is neither printed, kept, added up nor handed on."""
    above = file.parent(call)
    if isinstance(above, cst.Attribute):
        return _is_backward(above)
    target = above.targets[0].target if isinstance(above, cst.Assign) and len(above.targets) == 1 else None
    if not isinstance(target, cst.Name):
        return False
    uses = [file.parent(each) for each in file.references(target) if not isinstance(file.parent(each), cst.AssignTarget)]
    return bool(uses) and all(isinstance(each, cst.Attribute) and _is_backward(each) for each in uses)


def _is_backward(attribute: cst.Attribute) -> bool:
    return attribute.attr.value == "backward"

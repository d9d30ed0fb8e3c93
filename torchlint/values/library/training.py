"""Method calls that change the state of a training run: backward, steps, clearing gradients, modes, scaling.

Each notes an event in the flow. A handler returns None where the receiver turns out to be something else.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from torchlint.facts.tensors import OVERWRITING_METHODS, STEPPING_METHODS, ZEROING_METHODS
from torchlint.values.arguments import Arguments
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.following import follow
from torchlint.values.gradients import follows, is_gradient, is_written, is_zero, leaf
from torchlint.values.value import Kind, Value, other


def _backward(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    given = arguments.get(0, "gradient")
    if receiver.kind in (Kind.UNKNOWN, Kind.OBJECT) and (_is_used(flow, call) or "forward" in receiver.uses):
        return flow.opaque(call, arguments, receiver)
    if (
        receiver.kind is Kind.MANAGER
        or receiver.kind in (Kind.UNKNOWN, Kind.OBJECT, Kind.OPTIMIZER)
        and given is not None
        and not receiver.has_graph
    ):
        if given is None:
            return None
        if receiver.kind is Kind.UNKNOWN and "step" in receiver.uses:
            return flow.opaque(call, arguments, receiver)  # an engine that steps and clears by itself
        given.backpropagate(call)
        flow.happen(Happens.BACKWARD, call, given, values=(receiver,))
        return other(call)
    if receiver.kind not in (Kind.UNKNOWN, Kind.TENSOR):
        return None
    if given is None or given.kind is Kind.NONE:
        receiver.scalar = True
    receiver.backpropagate(call)
    func = call.func
    inner = func.value if isinstance(func, cst.Attribute) else None
    if isinstance(inner, cst.Call) and isinstance(inner.func, cst.Attribute) and inner.func.attr.value == "scale":
        for scaled in receiver.sources:  # scaler.scale(loss).backward()
            if scaled.kind in (Kind.UNKNOWN, Kind.TENSOR):
                scaled.backpropagate(call)
                scaled.scalar = True
    flow.happen(Happens.BACKWARD, call, receiver)
    return other(call)


def _is_used(flow: Flow, call: cst.Call) -> bool:
    """Whether something is done with what `backward` returns: torch's returns None, a layer written by hand the gradient of its input."""
    return isinstance(flow.file.parent(call), (cst.Assign, cst.AnnAssign, cst.AugAssign, cst.Arg, cst.BinaryOperation, cst.Attribute))


def _manual_backward(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    if not arguments.positional:
        return None
    arguments.positional[0].backpropagate(call)
    flow.happen(Happens.BACKWARD, call, arguments.positional[0])
    return other(call)


def _step(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    given = arguments.get(0, "closure")
    if _is_super(call) and flow.owner is not None and flow.owner.instance_kind is Kind.OPTIMIZER:
        flow.happen(Happens.STEP, call, next(iter(flow.parameters.values())))
        return Value(node=call, sources=arguments.values)
    if receiver.kind is Kind.SCHEDULER:
        own = receiver.cls.method("step") if receiver.cls is not None else None
        if own is not None:
            follow(flow, call, Value(Kind.FUNCTION, definition=own), arguments, bound=receiver)
        flow.happen(Happens.SCHEDULE, call, receiver)
        return other(call)
    if given is not None and (receiver.kind is Kind.SCALER or given.kind is Kind.OPTIMIZER):
        given.refine(Kind.OPTIMIZER)
        flow.happen(Happens.STEP, call, given)
        return other(call)
    if given is not None and given.kind is Kind.FUNCTION and receiver.kind in (Kind.UNKNOWN, Kind.OPTIMIZER):
        result = follow(flow, call, given, Arguments(call, [], {}, ()))
        flow.happen(Happens.STEP, call, receiver, value=given)
        return result
    if receiver.kind is Kind.OPTIMIZER or receiver.kind is Kind.UNKNOWN and not call.args:
        own = receiver.cls.method("step") if receiver.cls is not None else None
        steps = False
        if own is not None:  # the project's own optimizer may clear in its step, and what it steps inside it steps for itself
            follow(flow, call, Value(Kind.FUNCTION, definition=own), arguments, bound=receiver, stepped=receiver)
            callee = flow.callee(own)
            steps = callee is not None and any(each.what is Happens.STEP for each in callee.events.values())
        if not steps:
            flow.happen(Happens.STEP, call, receiver)
        return other(call)
    return None


def _is_super(call: cst.Call) -> bool:
    """`super().step(…)`"""
    inner = call.func.value if isinstance(call.func, cst.Attribute) else None
    return isinstance(inner, cst.Call) and isinstance(inner.func, cst.Name) and inner.func.value == "super"


def _zero_grad(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    if _is_super(call):
        receiver = next(iter(flow.parameters.values()), receiver)
    elif arguments.positional and arguments.positional[0].kind in (Kind.OPTIMIZER, Kind.MODULE):
        receiver = arguments.positional[0]  # `type(optimizer).zero_grad(optimizer)`
    flow.happen(Happens.CLEAR, call, receiver)
    own = receiver.cls.method("zero_grad") if receiver.cls is not None and not _is_super(call) else None
    if own is not None:
        follow(flow, call, Value(Kind.FUNCTION, definition=own), arguments, bound=receiver)
    return other(call)


def _in_place(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    """Zeros written into gradients clear; gradients added to their own tensor are a step taken by hand."""
    if not isinstance(call.func, cst.Attribute):
        return None
    name, inner = call.func.attr.value, call.func.value
    if name in STEPPING_METHODS:
        root = leaf(inner)
        if follows(root, call.args) and not is_gradient(inner):
            flow.happen(Happens.STEP, call, flow.values.get(root, receiver))
    number_at = ZEROING_METHODS.get(name)
    zeroes = name in ZEROING_METHODS and (number_at is None or is_zero(arguments.at(number_at)))
    aliases = flow.file.gradient_aliases
    into = is_written(flow.file, inner, receiver, aliases)
    if zeroes and (aliases or into) or name in OVERWRITING_METHODS and into:
        flow.happen(Happens.CLEAR, call)
    elif into:
        flow.happen(Happens.REWRITE, call)
    return None


def switch_mode(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    if receiver.kind is not Kind.MODULE:
        return None
    func = call.func
    trains = isinstance(func, cst.Attribute) and func.attr.value == "train"
    if trains and call.args and isinstance(call.args[0].value, cst.Name) and call.args[0].value.value == "False":
        trains = False
    flow.happen(Happens.TRAIN if trains else Happens.EVAL, call, receiver)
    return receiver


def _scale(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    if receiver.kind not in (Kind.SCALER, Kind.UNKNOWN) or len(arguments.positional) != 1:
        return None
    loss = arguments.positional[0]
    return Value(loss.kind, graph=loss.graph, place=loss.place, sources=(loss,), node=call, pure=True, scalar=loss.scalar)


def _note(what: str) -> Callable[[Flow, cst.Call, Value, Arguments], Value | None]:
    def note(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
        if receiver.kind is Kind.SCALER:
            flow.happen(Happens[what], call, arguments.positional[0] if arguments.positional else receiver)
            return other(call)
        return None

    return note


def effect(name: str) -> Callable[[Flow, cst.Call, Value, Arguments], Value | None] | None:
    """What notes the events of a method of this name."""
    is_in_place = name.endswith("_") and not name.startswith("_")
    return _EFFECTS.get(name) or (_in_place if is_in_place else None)


_EFFECTS: dict[str, Callable[[Flow, cst.Call, Value, Arguments], Value | None]] = {
    "backward": _backward,
    "manual_backward": _manual_backward,
    "step": _step,
    "zero_grad": _zero_grad,
    "train": switch_mode,
    "eval": switch_mode,
    "scale": _scale,
    "unscale_": _note("UNSCALE"),
    "update": _note("UPDATE"),
}

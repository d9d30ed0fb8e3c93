"""Method calls that change the state of a training run: backward, steps, clearing gradients, modes, scaling.

Each notes an event in the flow. A handler returns None where the receiver turns out to be something else.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from torchlint.values.arguments import Arguments
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.following import follow
from torchlint.values.value import Kind, Value, other


def _backward(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    given = arguments.get(0, "gradient")
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


def _manual_backward(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    if not arguments.positional:
        return None
    arguments.positional[0].backpropagate(call)
    flow.happen(Happens.BACKWARD, call, arguments.positional[0])
    return other(call)


def _step(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    given = arguments.get(0, "closure")
    if receiver.kind is Kind.SCHEDULER:
        flow.happen(Happens.SCHEDULE, call, receiver)
        return other(call)
    if given is not None and (receiver.kind is Kind.SCALER or given.kind is Kind.OPTIMIZER):
        given.refine(Kind.OPTIMIZER)
        flow.happen(Happens.STEP, call, given)
        return other(call)
    if given is not None and given.kind is Kind.FUNCTION and receiver.kind in (Kind.UNKNOWN, Kind.OPTIMIZER):
        flow.happen(Happens.STEP, call, receiver, value=given)
        result = follow(flow, call, given, Arguments(call, [], {}, ()))
        return result
    if receiver.kind is Kind.OPTIMIZER or receiver.kind is Kind.UNKNOWN and not call.args:
        own = receiver.cls.method("step") if receiver.cls is not None else None
        if own is not None:  # the project's own optimizer may clear in its step
            follow(flow, call, Value(Kind.FUNCTION, definition=own), arguments, bound=receiver)
        flow.happen(Happens.STEP, call, receiver)
        return other(call)
    return None


def _zero_grad(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    flow.happen(Happens.CLEAR, call, receiver)
    return other(call)


def _zero_in_place(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
    func = call.func
    inner = func.value if isinstance(func, cst.Attribute) else None
    while isinstance(inner, cst.Attribute):
        if inner.attr.value == "grad":
            flow.happen(Happens.CLEAR, call)
        inner = inner.value
    return None


def _mode(flow: Flow, call: cst.Call, receiver: Value, arguments: Arguments) -> Value | None:
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


EFFECTS: dict[str, Callable[[Flow, cst.Call, Value, Arguments], Value | None]] = {
    "backward": _backward,
    "manual_backward": _manual_backward,
    "step": _step,
    "zero_grad": _zero_grad,
    "zero_": _zero_in_place,
    "fill_": _zero_in_place,
    "train": _mode,
    "eval": _mode,
    "scale": _scale,
    "unscale_": _note("UNSCALE"),
    "update": _note("UPDATE"),
}

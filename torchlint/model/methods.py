"""What a method call yields and does, by what its receiver is known to be: tensors, modules, optimizers, containers.

An unknown receiver is not guessed at: its value stays unknown, but the calls on it are noted, since together they prove what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import libcst as cst

from torchlint.facts import tensors as known
from torchlint.model import calls, effects, expressions, following
from torchlint.model.kinds import Graph, Kind, Place, Value, number, other
from torchlint.model.tree import Node

if TYPE_CHECKING:
    from torchlint.model.calls import Arguments
    from torchlint.model.flow import Flow

_CONTAINERS = frozenset({Kind.LIST, Kind.DICT, Kind.UNKNOWN, Kind.TUPLE})
_MOVES = frozenset("to cuda cpu xpu mps half float double bfloat16 type".split())
_SELF_RETURNING = frozenset("train eval requires_grad_ apply share_memory zero_grad_".split())


def evaluate(flow: Flow, call: cst.Call, func: cst.Attribute, receiver: Value, arguments: Arguments) -> Value:
    """The value of `receiver.name(...)`."""
    name = func.attr.value
    if receiver.definition is not None and receiver.kind in (Kind.OBJECT, Kind.MODULE, Kind.CLASS):
        found = receiver.definition.method(name)  # type: ignore[attr-defined]
        if found is not None:
            target = Value(Kind.FUNCTION, definition=found, node=func)
            bound = None if receiver.kind is Kind.CLASS else receiver
            return following.follow(flow, call, target, arguments, bound=bound, place=flow.place(func.value))
        if receiver.kind is not Kind.CLASS and receiver.definition.assigns(name):  # type: ignore[attr-defined]
            return calls.of_value(flow, call, flow.evaluate(func), arguments)
    held = flow.env.places.get(flow.place(func) or "")
    if held is not None and not (isinstance(held.node, cst.Attribute) and held.node.attr.value == name):  # set here, not just read before
        return calls.of_value(flow, call, held, arguments)
    if receiver.kind is Kind.UNKNOWN:
        receiver.used(name)
    handler = effects.EFFECTS.get(name)
    if handler is not None:
        result = handler(flow, call, receiver, arguments)
        if result is not None:
            return result
    if receiver.kind in _CONTAINERS:
        result = _container(flow, call, name, receiver, arguments)
        if result is not None:
            return result
    by_kind = _BY_KIND.get(receiver.kind)
    if by_kind is not None:
        return by_kind(flow, call, name, receiver, arguments)
    return _unknown(flow, call, name, receiver, arguments)


# -- containers ----------------------------------------------------------------------------------------------------------


def _container(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value | None:
    given = arguments.positional
    if name in ("append", "appendleft", "add") and len(given) == 1:
        if receiver.kind is Kind.UNKNOWN and name == "add":
            return None
        expressions.store(flow, call, receiver, given[0])
        return other(call)
    if name == "insert" and len(given) == 2:
        expressions.store(flow, call, receiver, given[1])
        return other(call)
    if name in ("extend", "extendleft") and len(given) == 1:
        if given[0].elem is not None or given[0].items:
            expressions.store(flow, call, receiver, expressions.element(given[0], call))
        return other(call)
    if name == "setdefault" and len(given) == 2:
        expressions.store(flow, call, receiver, given[1])
        return given[1]
    if receiver.kind is Kind.UNKNOWN:
        return None
    if name in ("pop", "popleft", "get", "popitem"):
        return expressions.element(receiver, call)
    if name == "values":
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=expressions.element(receiver, call), sources=(receiver,))
    if name == "items":
        key = Value(Kind.STRING, graph=Graph.NO, node=call)
        pair = Value(Kind.TUPLE, graph=Graph.NO, node=call, items=(key, expressions.element(receiver, call)))
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=pair, sources=(receiver,))
    if name == "copy":
        return Value(receiver.kind, graph=Graph.NO, node=call, elem=receiver.elem, sources=(receiver,))
    return other(call)


# -- tensors -------------------------------------------------------------------------------------------------------------


def placed(device: Value, node: Node | None) -> Place:
    """Where something goes that is given this device."""
    if isinstance(node, cst.SimpleString):
        return Place.CPU if str(node.evaluated_value) == "cpu" else Place.ACCELERATOR
    if device.kind is Kind.DEVICE:
        return device.place
    if device.kind is Kind.NONE:
        return Place.CPU
    return Place.ACCELERATOR


def _moves_to(call: cst.Call, name: str, arguments: Arguments) -> Place | None:
    """Where `.to(...)` and its like put a tensor; None where they do not move it."""
    if name == "cpu":
        return Place.CPU
    if name in ("cuda", "xpu", "mps"):
        return Place.ACCELERATOR
    if name != "to" or not call.args:
        return None
    target = arguments.get(0, "device")
    if target is None or target.kind is Kind.DTYPE:
        return None
    node = arguments.node("device") or (call.args[0].value if call.args[0].keyword is None else None)
    if node is None:
        return None
    if target.is_tensor:
        return target.place
    if target.kind in (Kind.DEVICE, Kind.STRING, Kind.NUMBER, Kind.NONE) or isinstance(node, cst.SimpleString):
        return placed(target, node)
    # an untyped `device` may be an accelerator; anything else that is unknown may be a dtype
    return Place.ACCELERATOR if _reads_as_device(node) else None


def _reads_as_device(node: Node) -> bool:
    while isinstance(node, cst.Subscript):
        node = node.value
    last = node.attr.value if isinstance(node, cst.Attribute) else node.value if isinstance(node, cst.Name) else ""
    return "device" in str(last).lower() or str(last) in ("rank", "local_rank", "gpu", "gpu_id")


def tensor_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    """A method of a tensor, or of an unknown value that has the same methods."""
    moved = _moves_to(call, name, arguments) if name in _MOVES else None
    if moved is not None:
        return Value(
            receiver.kind,
            graph=receiver.graph,
            place=moved,
            sources=(receiver,),
            node=call,
            scalar=receiver.scalar,
            elem=receiver.elem,
            batch=receiver.batch,
        )
    if name in known.NUMBERS:
        return number(call)
    if name == "tolist":
        return Value(Kind.LIST, graph=Graph.NO, place=Place.CPU, node=call, elem=number(call))
    if name == "numpy":
        return Value(Kind.NDARRAY, graph=Graph.NO, place=Place.CPU, node=call)
    kind = Kind.TENSOR if receiver.is_tensor or name in known.TENSOR_EVIDENCE else Kind.UNKNOWN
    if name in ("detach", "detach_"):
        return Value(Kind.TENSOR, graph=Graph.NO, place=receiver.place, sources=(receiver,), node=call, scalar=receiver.scalar)
    if name == "requires_grad_":
        literal = call.args[0].value if call.args else None
        off = isinstance(literal, cst.Name) and literal.value == "False"
        receiver.graph = Graph.NO if off else Graph.YES if receiver.is_tensor else receiver.graph
        return receiver
    if name in known.PAIRS:
        return pair(call, name, receiver, arguments)
    if name in known.LISTS_OF_TENSORS:
        elem = Value(
            Kind.TENSOR if receiver.is_tensor else Kind.UNKNOWN, graph=receiver.graph, place=receiver.place, sources=(receiver,), node=call
        )
        return Value(Kind.TUPLE, graph=Graph.NO, node=call, elem=elem, sources=(receiver,))
    if name.endswith("_") and not name.endswith("__") and receiver.is_tensor:
        if any(each.has_graph for each in arguments.values) and receiver.graph is Graph.MAYBE:
            receiver.graph = Graph.YES
        return receiver
    if name in known.WITHOUT_GRAPH:
        return Value(kind, graph=Graph.NO, place=receiver.place, sources=(receiver, *arguments.values), node=call)
    if name in known.OPERATIONS or name in _MOVES:
        result = expressions.operate(call, receiver, *arguments.values)
        scalar = name in known.REDUCTIONS and not call.args or name in known.CASTS and receiver.scalar
        return Value(
            kind,
            graph=result.graph,
            place=receiver.place,
            sources=(receiver, *arguments.values),
            node=call,
            scalar=scalar,
            batch=receiver.batch and all(each.batch or each.kind is not Kind.UNKNOWN for each in arguments.values),
        )
    if receiver.is_tensor:
        return Value(graph=receiver.graph, place=receiver.place, sources=(receiver,), node=call)
    return calls.opaque(flow, call, arguments, receiver)


def pair(call: cst.Call, name: str, tensor: Value, arguments: Arguments, offset: int = 0) -> Value:
    """`max(dim)` and its like: values with the tensor's graph, and indices without one."""
    given = len(arguments.positional) > offset or bool(arguments.keywords)
    second = arguments.positional[offset] if len(arguments.positional) > offset else None
    kind = Kind.TENSOR if tensor.is_tensor else Kind.UNKNOWN
    picked = Value(kind, graph=tensor.graph, place=tensor.place, sources=(tensor,), node=call)
    if name not in ("sort", "topk") and (not given or second is not None and second.is_tensor):
        picked.scalar = not given
        return picked
    indices = Value(kind, graph=Graph.NO, place=tensor.place, sources=(tensor,), node=call)
    return Value(Kind.TUPLE, graph=Graph.NO, node=call, items=(picked, indices), sources=(tensor,))


# -- the other kinds -----------------------------------------------------------------------------------------------------


def _module_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if name in _MOVES:
        moved = _moves_to(call, name, arguments)
        if moved is not None:
            receiver.place = moved
        return receiver
    if name in _SELF_RETURNING:
        return receiver
    if name in ("parameters", "named_parameters", "buffers"):
        if name == "named_parameters":
            item = Value(
                Kind.TUPLE,
                graph=Graph.NO,
                node=call,
                items=(Value(Kind.STRING, node=call), Value(Kind.TENSOR, graph=Graph.YES, place=receiver.place, node=call, leaf=True)),
            )
            return Value(Kind.LIST, graph=Graph.NO, node=call, elem=item, sources=(receiver,))
        return Value(Kind.PARAMETERS, graph=Graph.NO, place=receiver.place, node=call, sources=(receiver,))
    if name in ("forward", "__call__"):
        return calls.module_call(flow, call, receiver, arguments)
    if name in (
        "state_dict",
        "named_modules",
        "modules",
        "children",
        "named_children",
        "load_state_dict",
        "append",
        "extend",
        "insert",
        "add_module",
        "items",
        "keys",
        "register_buffer",
    ):
        return other(call) if name not in ("modules", "children") else Value(Kind.LIST, node=call, elem=Value(Kind.MODULE, node=call))
    if receiver.definition is not None and not receiver.definition.is_open:  # type: ignore[attr-defined]
        return Value(node=call, graph=Graph.MAYBE, place=receiver.place, sources=(receiver, *arguments.values))
    result = calls.opaque(flow, call, arguments, receiver)
    result.place = receiver.place
    return result


def _manager_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if name in ("prepare", "setup", "setup_module", "setup_dataloaders", "prepare_model", "setup_optimizers"):
        for each in arguments.positional:
            if each.kind in (Kind.MODULE, Kind.LOADER, Kind.UNKNOWN):
                each.place = Place.ACCELERATOR
        if len(arguments.positional) == 1:
            return arguments.positional[0]
        return Value(Kind.TUPLE, graph=Graph.NO, node=call, items=tuple(arguments.positional))
    if name in ("gather", "gather_for_metrics", "reduce", "pad_across_processes") and arguments.positional:
        return arguments.positional[0]
    return other(call)


def _distribution_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if receiver.qualname is not None and receiver.qualname.startswith("torch.distributions."):
        if name == "sample":
            place = max((each.place for each in receiver.sources), default=Place.UNKNOWN)
            return Value(Kind.TENSOR, graph=Graph.NO, place=place, node=call, sources=(receiver,))
        if name in ("rsample", "log_prob", "entropy", "cdf", "icdf"):
            result = expressions.operate(call, *receiver.sources, *arguments.values)
            return Value(Kind.TENSOR, graph=result.graph, place=result.place, node=call, sources=(receiver, *arguments.values))
    return _unknown(flow, call, name, receiver, arguments)


def _of_nothing(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return other(call)


def _optimizer_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if name.startswith("register_step"):
        receiver.uses.add(name)  # a hook may clear after every step
    return other(call)


def _array_method(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    return (
        number(call)
        if name in ("item", "mean", "sum", "max", "min", "std")
        else Value(Kind.NDARRAY, graph=Graph.NO, place=Place.CPU, node=call)
    )


def _unknown(flow: Flow, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    if receiver.kind is Kind.UNKNOWN and not (receiver.qualname and receiver.node is None):
        if (
            name in known.NUMBERS
            or name in known.OPERATIONS
            or name in _MOVES
            or name in known.TENSOR_EVIDENCE
            or name in ("tolist", "numpy", "max", "min", "topk")
        ):
            return tensor_method(flow, call, name, receiver, arguments)
        if name in ("values", "items", "get", "pop"):
            return Value(sources=(receiver,), graph=receiver.graph, place=receiver.place, node=call)
        if name in ("parameters",):
            return Value(Kind.PARAMETERS, graph=Graph.NO, node=call, sources=(receiver,))
    if receiver.kind is Kind.MODULE:  # proved by this very call
        return _module_method(flow, call, name, receiver, arguments)
    return calls.opaque(flow, call, arguments, receiver)


_BY_KIND: dict[Kind, Callable[[Flow, cst.Call, str, Value, Arguments], Value]] = {
    Kind.TENSOR: tensor_method,
    Kind.MODULE: _module_method,
    Kind.MANAGER: _manager_method,
    Kind.OBJECT: _distribution_method,
    Kind.STRING: _of_nothing,
    Kind.NUMBER: _of_nothing,
    Kind.OTHER: _of_nothing,
    Kind.NDARRAY: _array_method,
    Kind.OPTIMIZER: _optimizer_method,
    Kind.SCHEDULER: _of_nothing,
    Kind.SCALER: _of_nothing,
    Kind.NONE: _of_nothing,
}

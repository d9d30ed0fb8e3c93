"""Calls of imported names: torch's functions and constructors, and those of the packages around it.

What is known about torch is in `torchlint.facts`; each function here registers for the names, rows, kinds or packages that it knows.
Modules that are called are in `torchlint.values.library.modules`.
"""

from __future__ import annotations

import libcst as cst

from torchlint.facts import modules, tensors
from torchlint.syntax.literals import spelled_out
from torchlint.values.algebra import grad_mode, operate, pair, placed
from torchlint.values.arguments import Arguments
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.gradients import holds_gradient, is_zero
from torchlint.values.instances import kind_of_instance
from torchlint.values.library.described import by_function
from torchlint.values.library.registry import Makers
from torchlint.values.value import Graph, Kind, Place, Value, number, other

MAKERS = Makers()


def call_imported(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    if path.partition(".")[0] == "torch":
        _write(flow, call, path, arguments)
    known = MAKERS.find(path)
    if known is None:
        return flow.opaque(call, arguments)
    return by_function(known(flow, call, path, arguments), call, path, arguments)


def _write(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> None:
    """`torch._foreach_mul_(gradients, 0.5)`, `torch.mul(p.grad, 0.5, out=p.grad)`"""
    written = arguments.values[:1] if path.endswith("_") else tuple(filter(None, [arguments.keywords.get("out")]))
    if written and holds_gradient(written):
        number_at = tensors.ZEROING.get(path)
        zeroes = path in tensors.ZEROING and (number_at is None or is_zero(arguments.at(number_at)))
        flow.happen(Happens.CLEAR if zeroes else Happens.REWRITE, call)


# -- functions of tensors --------------------------------------------------------------------------------------------------


@MAKERS.rows(tensors.FACTORIES)
def _factory(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    wants = arguments.node("requires_grad")
    graph = Graph.YES if isinstance(wants, cst.Name) and wants.value == "True" else Graph.NO if wants is None else Graph.MAYBE
    first = arguments.positional[0] if arguments.positional else None
    default = first.place if first is not None and first.is_tensor else Place.CPU
    return Value(Kind.TENSOR, graph=graph, place=_device_place(arguments, default), node=call, fresh=True, leaf=True)


@MAKERS.rows(tensors.LOSS_FUNCTIONS)
def _loss(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    result = operate(call, *arguments.values[:2]) if arguments.values else Value()
    graph, place, scalar = result.graph, result.place, _reduces(arguments)
    return Value(Kind.TENSOR, graph=graph, place=place, sources=arguments.values, node=call, pure=True, scalar=scalar)


@MAKERS.rows(tensors.PAIR_FUNCTIONS)
def _pair(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    first = arguments.positional[0] if arguments.positional else Value()
    return pair(call, path.rpartition(".")[2], first, arguments, offset=1)


@MAKERS.rows(tensors.FUNCTIONS_WITHOUT_GRAPH)
def _without_graph(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    result = operate(call, *arguments.values) if arguments.values else Value()
    return Value(Kind.TENSOR, graph=Graph.NO, place=result.place, sources=arguments.values, node=call)


@MAKERS.rows(tensors.FUNCTIONS)
def _operation(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    values = arguments.values
    flat = tuple(each for value in values for each in (value.items or ((value.elem,) if value.elem is not None else (value,))))
    result = operate(call, *flat) if flat else Value()
    scalar = path.rpartition(".")[2] in tensors.REDUCTIONS and len(values) == 1
    return Value(Kind.TENSOR, graph=result.graph, place=result.place, sources=values, node=call, pure=True, scalar=scalar)


@MAKERS.rows(tensors.ALIASING_CONSTRUCTORS)
def _alias(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return Value(Kind.TENSOR, graph=Graph.NO, place=_device_place(arguments, Place.CPU), node=call)


@MAKERS.rows(modules.PASS_THROUGH, tensors.ZEROING)
def _pass_through(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return arguments.positional[0] if arguments.positional else Value(node=call)


@MAKERS.rows(tensors.CLIPPING)
def _clip(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    flow.happen(Happens.CLIP, call, arguments.get(0, "parameters"))
    return Value(Kind.TENSOR, graph=Graph.NO, node=call, scalar=True)


@MAKERS.rows(tensors.DIFFERENTIATING)
def _differentiate(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    target = arguments.get(0, "tensors") or arguments.get(0, "outputs")
    if target is not None:
        target.backpropagate(call)
        if path.endswith("backward"):
            flow.happen(Happens.BACKWARD, call, target)
    elem = Value(Kind.TENSOR, graph=Graph.MAYBE, node=call)
    return Value(Kind.TUPLE, graph=Graph.NO, node=call, elem=elem)


@MAKERS.rows(tensors.QUIET_FUNCTIONS)
@MAKERS.packages(*tensors.QUIET_PACKAGES)
def _quiet(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return other(call)


def _device_place(arguments: Arguments, default: Place) -> Place:
    device = arguments.keywords.get("device")
    if device is None:
        return default
    return placed(device, arguments.node("device"))


def _reduces(arguments: Arguments) -> bool:
    """Whether a loss leaves one element: no `reduction`, or one that is spelt out."""
    reduction = arguments.node("reduction")
    if arguments.spread or "reduce" in arguments.keywords:
        return False
    return reduction is None or isinstance(reduction, cst.SimpleString) and spelled_out(reduction.value) in ("mean", "sum", "batchmean")


# -- what is made of classes -----------------------------------------------------------------------------------------------


@MAKERS.constructors(Kind.OPTIMIZER, Kind.SCHEDULER, Kind.SCALER, Kind.LOADER, Kind.DATASET, Kind.SAMPLER, Kind.MANAGER, Kind.GENERATOR)
def _instance(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    kind = kind_of_instance(path)
    assert kind is not None
    return Value(kind, graph=Graph.NO, node=call, qualname=path, sources=arguments.values)


@MAKERS.constructors(Kind.MODULE)
def _module(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return Value(Kind.MODULE, node=call, qualname=path, scalar=_reduces(arguments), sources=arguments.values)


@MAKERS.packages(*tensors.MODEL_PACKAGES)
@MAKERS.named("timm.create_model")
def _model(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return Value(Kind.MODULE, node=call, qualname=path)


@MAKERS.packages("transformers")
def _of_transformers(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    """Which of its classes are models is told by the name alone."""
    owner, _, name = path.rpartition(".")
    loads = name == "from_pretrained"
    if path.startswith("transformers.AutoModel") or loads and any(part in owner.rpartition(".")[2] for part in ("Model", "For")):
        return _model(flow, call, path, arguments)
    return other(call) if loads else flow.opaque(call, arguments)


@MAKERS.packages("torch.distributions")
def _distribution(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return Value(Kind.OBJECT, graph=Graph.NO, node=call, qualname=path, sources=arguments.values)


@MAKERS.named("torch.nn.Parameter")
def _parameter(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    wants = arguments.node("requires_grad")
    return Value(Kind.TENSOR, graph=Graph.YES if wants is None else Graph.MAYBE, node=call, qualname=path, leaf=True)


@MAKERS.named("torch.device")
def _device(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    first = call.args[0].value if call.args else None
    return Value(Kind.DEVICE, graph=Graph.NO, place=placed(arguments.positional[0] if arguments.positional else Value(), first), node=call)


@MAKERS.rows(modules.PARALLEL_WRAPPERS)
@MAKERS.named("torch.nn.SyncBatchNorm.convert_sync_batchnorm")
def _wrap(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    inner = arguments.get(0, "module") or arguments.get(0, "model")
    if inner is None or inner.kind is Kind.FUNCTION:
        return Value(node=call, sources=arguments.values)
    place = Place.ACCELERATOR if "Parallel" in path else inner.place
    return Value(Kind.MODULE, place=place, node=call, sources=(inner,), qualname=inner.qualname, definition=inner.definition)


# -- grad modes --------------------------------------------------------------------------------------------------------------


@MAKERS.rows(modules.GRAD_OFF)
def _grad_off(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    first = call.args[0].value if call.args else None
    if isinstance(first, cst.Name) and first.value == "False":  # inference_mode(False)
        return Value(Kind.GRAD_MODE, graph=Graph.YES, node=call)
    return Value(
        Kind.GRAD_MODE, graph=Graph.NO if first is None or isinstance(first, cst.Name) and first.value == "True" else Graph.MAYBE, node=call
    )


@MAKERS.rows(modules.GRAD_ON)
def _grad_on(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return Value(Kind.GRAD_MODE, graph=Graph.YES, node=call)


@MAKERS.rows(modules.GRAD_SET)
def _grad_set(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    first = call.args[0].value if call.args else None
    literal = first.value if isinstance(first, cst.Name) else None
    graph = {"True": Graph.YES, "False": Graph.NO}.get(literal or "", Graph.MAYBE)
    value = Value(Kind.GRAD_MODE, graph=graph, node=call)
    if isinstance(flow.file.parent(call), cst.Expr):  # works as a statement, too: from here on
        flow.env.grad = grad_mode(value)
    return value


# -- Python's own and other packages ---------------------------------------------------------------------------------------


@MAKERS.packages(*tensors.NUMERIC_PACKAGES)
def _number(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return number(call)


@MAKERS.packages(*(each.rstrip(".") for each in tensors.ARRAY_PACKAGES))
def _array(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return Value(Kind.NDARRAY, graph=Graph.NO, place=Place.CPU, node=call)


@MAKERS.named("numpy.random.choice")
def _choice(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return Value(node=call)  # of what it is given, whatever that is


@MAKERS.named("copy.deepcopy", "copy.copy")
def _copy(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    if not arguments.positional:
        return other(call)
    given = arguments.positional[0]
    return Value(given.kind, graph=given.graph, place=given.place, node=call, definition=given.definition, qualname=given.qualname)


@MAKERS.named("collections.deque")
def _deque(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return Value(Kind.LIST, graph=Graph.NO, node=call, sources=arguments.values)


@MAKERS.named("collections.defaultdict", "collections.OrderedDict")
def _dict(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return Value(Kind.DICT, graph=Graph.NO, node=call)

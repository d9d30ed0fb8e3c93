"""Calls of imported names: torch's functions and constructors, and those of the packages around it.

What is known about torch is in `torchlint.facts`; modules that are called are in `torchlint.values.library.modules`.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from torchlint.facts import modules, tensors
from torchlint.values.algebra import grad_mode, operate, pair, placed
from torchlint.values.arguments import Arguments
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.gradients import holds_gradient, is_zero
from torchlint.values.value import Graph, Kind, Place, Value, number, other


def call_imported(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    maker = _MAKERS.get(path)
    if maker is not None:
        return maker(flow, call, path, arguments)
    if path.startswith("torch."):
        return _torch_call(flow, call, path, arguments)
    if path.startswith(tensors.NUMERIC_PACKAGES):
        return number(call)
    if path == "numpy.random.choice":  # of what it is given, whatever that is
        return Value(node=call)
    if path.startswith(tensors.ARRAY_PACKAGES):
        return Value(Kind.NDARRAY, graph=Graph.NO, place=Place.CPU, node=call)
    if path.startswith(("torchvision.models.", "timm.create_model", "segmentation_models_pytorch.", "transformers.AutoModel")):
        return Value(Kind.MODULE, node=call, qualname=path)
    if path.startswith("transformers.") and path.endswith(".from_pretrained"):
        owner = path.split(".")[-2]
        if "Model" in owner or "For" in owner:
            return Value(Kind.MODULE, node=call, qualname=path)
        return other(call)
    if path.startswith(("os.", "sys.", "json.", "logging.", "pathlib.", "re.", "copy.", "wandb.")):
        if path in ("copy.deepcopy", "copy.copy") and arguments.positional:
            given = arguments.positional[0]
            return Value(given.kind, graph=given.graph, place=given.place, node=call, definition=given.definition, qualname=given.qualname)
        return other(call)
    return flow.opaque(call, arguments)


def _write(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> None:
    """`torch._foreach_mul_(gradients, 0.5)`, `torch.mul(p.grad, 0.5, out=p.grad)`"""
    written = arguments.values[:1] if path.endswith("_") else tuple(filter(None, [arguments.keywords.get("out")]))
    if written and holds_gradient(written):
        number_at = _ZEROING.get(path)
        zeroes = path in _ZEROING and (number_at is None or is_zero(arguments.at(number_at)))
        flow.happen(Happens.CLEAR if zeroes else Happens.REWRITE, call)


def _torch_call(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    if path in tensors.FACTORIES:
        return _factory(call, arguments)
    package, _, name = path.rpartition(".")
    _write(flow, call, path, arguments)
    if package in ("torch.nn.functional", "torch", "torch.special", "torch.linalg", "torch.fft", "torch.ops.aten"):
        if name in tensors.LOSSES:
            return _loss(flow, call, arguments)
        if name in tensors.PAIRS and package == "torch":
            return pair(call, name, arguments.positional[0] if arguments.positional else Value(), arguments, offset=1)
        if name in tensors.WITHOUT_GRAPH:
            result = operate(call, *arguments.values) if arguments.values else Value()
            return Value(Kind.TENSOR, graph=Graph.NO, place=result.place, sources=arguments.values, node=call)
        if name in tensors.OPERATIONS or package in ("torch.special", "torch.linalg"):
            return _operation(call, name, arguments)
        if name in tensors.ALIASING_CONSTRUCTORS or path in tensors.ALIASING_CONSTRUCTORS:
            return Value(Kind.TENSOR, graph=Graph.NO, place=_device_place(arguments, Place.CPU), node=call)
    if path in _ZEROING:
        return arguments.positional[0] if arguments.positional else other(call)
    if package == "torch.nn" and name[:1].isupper() and path not in modules.NON_MODULES_IN_NN:
        return Value(Kind.MODULE, node=call, qualname=path, scalar=_reduces(arguments), sources=arguments.values)
    if path.startswith("torch.optim.") and name[:1].isupper():
        if package == "torch.optim.swa_utils":
            return Value(Kind.MODULE, node=call, qualname=path)
        return Value(
            Kind.SCHEDULER if package == "torch.optim.lr_scheduler" else Kind.OPTIMIZER,
            graph=Graph.NO,
            node=call,
            qualname=path,
            sources=arguments.values,
        )
    if path.startswith("torch.nn.utils.clip_grad"):
        flow.happen(Happens.CLIP, call, arguments.get(0, "parameters"))
        return Value(Kind.TENSOR, graph=Graph.NO, node=call, scalar=True)
    if path.startswith("torch.distributions."):
        return Value(Kind.OBJECT, graph=Graph.NO, node=call, qualname=path, sources=arguments.values)
    if path.startswith(("torch.utils.data.", "torchdata.")) and name.endswith("Sampler"):
        return Value(Kind.SAMPLER, graph=Graph.NO, node=call, qualname=path)
    if path.startswith(("torch.cuda.", "torch.backends.", "torch.distributed.", "torch.accelerator.", "torch.mps.")) or name in (
        "manual_seed",
        "save",
        "is_tensor",
        "get_default_dtype",
    ):
        return other(call)
    return flow.opaque(call, arguments)


_ZEROING: dict[str, int | None] = {
    "torch._foreach_zero_": None,
    "torch._foreach_mul_": 1,
    "torch.nn.init.zeros_": None,
    "torch.nn.init.constant_": 1,
    "torch.zero_": None,
}
"""What fills the first argument with zeros: always, or if the argument at this position is 0."""


def _factory(call: cst.Call, arguments: Arguments) -> Value:
    wants = arguments.node("requires_grad")
    graph = Graph.YES if isinstance(wants, cst.Name) and wants.value == "True" else Graph.NO if wants is None else Graph.MAYBE
    first = arguments.positional[0] if arguments.positional else None
    default = first.place if first is not None and first.is_tensor else Place.CPU
    return Value(Kind.TENSOR, graph=graph, place=_device_place(arguments, default), node=call, fresh=True, leaf=True)


def _device_place(arguments: Arguments, default: Place) -> Place:
    device = arguments.keywords.get("device")
    if device is None:
        return default
    return placed(device, arguments.node("device"))


def _operation(call: cst.Call, name: str, arguments: Arguments) -> Value:
    values = arguments.values
    flat = tuple(each for value in values for each in (value.items or ((value.elem,) if value.elem is not None else (value,))))
    result = operate(call, *flat) if flat else Value()
    scalar = name in tensors.REDUCTIONS and len(values) == 1
    return Value(Kind.TENSOR, graph=result.graph, place=result.place, sources=values, node=call, pure=True, scalar=scalar)


def _reduces(arguments: Arguments) -> bool:
    """Whether a loss leaves one element: no `reduction`, or one that is spelt out."""
    reduction = arguments.node("reduction")
    if arguments.spread or "reduce" in arguments.keywords:
        return False
    return reduction is None or isinstance(reduction, cst.SimpleString) and reduction.evaluated_value in ("mean", "sum", "batchmean")


def _loss(flow: Flow, call: cst.Call, arguments: Arguments) -> Value:
    result = operate(call, *arguments.values[:2]) if arguments.values else Value()
    graph, place, scalar = result.graph, result.place, _reduces(arguments)
    return Value(Kind.TENSOR, graph=graph, place=place, sources=arguments.values, node=call, pure=True, scalar=scalar)


# -- makers: one row per imported callable with a meaning of its own ------------------------------------------------------

Maker = Callable[[Flow, cst.Call, str, Arguments], Value]


def _make(kind: Kind) -> Maker:
    def make(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
        return Value(kind, graph=Graph.NO, node=call, qualname=path, sources=arguments.values)

    return make


def _parameter(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    wants = arguments.node("requires_grad")
    return Value(Kind.TENSOR, graph=Graph.YES if wants is None else Graph.MAYBE, node=call, qualname=path, leaf=True)


def _device(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    first = call.args[0].value if call.args else None
    return Value(Kind.DEVICE, graph=Graph.NO, place=placed(arguments.positional[0] if arguments.positional else Value(), first), node=call)


def _grad_off(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    first = call.args[0].value if call.args else None
    if isinstance(first, cst.Name) and first.value == "False":  # inference_mode(False)
        return Value(Kind.GRAD_MODE, graph=Graph.YES, node=call)
    return Value(
        Kind.GRAD_MODE, graph=Graph.NO if first is None or isinstance(first, cst.Name) and first.value == "True" else Graph.MAYBE, node=call
    )


def _grad_on(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return Value(Kind.GRAD_MODE, graph=Graph.YES, node=call)


def _grad_set(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    first = call.args[0].value if call.args else None
    literal = first.value if isinstance(first, cst.Name) else None
    graph = {"True": Graph.YES, "False": Graph.NO}.get(literal or "", Graph.MAYBE)
    value = Value(Kind.GRAD_MODE, graph=graph, node=call)
    if isinstance(flow.file.parent(call), cst.Expr):  # works as a statement, too: from here on
        flow.env.grad = grad_mode(value)
    return value


def _pass_through(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    return arguments.positional[0] if arguments.positional else Value(node=call)


def _wrap(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    inner = arguments.get(0, "module") or arguments.get(0, "model")
    if inner is None or inner.kind is Kind.FUNCTION:
        return Value(node=call, sources=arguments.values)
    place = Place.ACCELERATOR if "Parallel" in path else inner.place
    return Value(Kind.MODULE, place=place, node=call, sources=(inner,), qualname=inner.qualname, definition=inner.definition)


def _differentiate(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    target = arguments.get(0, "tensors") or arguments.get(0, "outputs")
    if target is not None:
        target.backpropagate(call)
        if path.endswith("backward"):
            flow.happen(Happens.BACKWARD, call, target)
    elem = Value(Kind.TENSOR, graph=Graph.MAYBE, node=call)
    return Value(Kind.TUPLE, graph=Graph.NO, node=call, elem=elem)


_MAKERS: dict[str, Maker] = {
    "torch.nn.Parameter": _parameter,
    "torch.device": _device,
    "torch.Generator": _make(Kind.GENERATOR),
    "torch.autograd.grad": _differentiate,
    "torch.autograd.backward": _differentiate,
    "torch.nn.DataParallel": _wrap,
    "torch.nn.parallel.DistributedDataParallel": _wrap,
    "torch.compile": _wrap,
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm": _wrap,
    **dict.fromkeys(modules.SCALERS, _make(Kind.SCALER)),
    **dict.fromkeys(modules.LOADERS, _make(Kind.LOADER)),
    **dict.fromkeys(modules.DATASETS, _make(Kind.DATASET)),
    **dict.fromkeys(modules.MANAGERS, _make(Kind.MANAGER)),
    **dict.fromkeys(modules.GRAD_OFF, _grad_off),
    **dict.fromkeys(modules.GRAD_ON, _grad_on),
    **dict.fromkeys(modules.GRAD_SET, _grad_set),
    **dict.fromkeys(modules.PASS_THROUGH, _pass_through),
    "collections.deque": lambda flow, call, path, arguments: Value(Kind.LIST, graph=Graph.NO, node=call, sources=arguments.values),
    "collections.defaultdict": lambda flow, call, path, arguments: Value(Kind.DICT, graph=Graph.NO, node=call),
    "collections.OrderedDict": lambda flow, call, path, arguments: Value(Kind.DICT, graph=Graph.NO, node=call),
}

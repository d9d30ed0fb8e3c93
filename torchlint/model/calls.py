"""What a call yields and does: torch's functions, the project's own functions and classes, and calls that cannot be followed.

Calls of methods on values are in `torchlint.model.methods`; what is known about torch is in `torchlint.facts`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from torchlint.facts import modules as known_modules
from torchlint.facts import tensors as known_tensors
from torchlint.model import expressions, following, methods
from torchlint.model.happenings import Happens
from torchlint.model.kinds import Graph, Kind, Place, Value, number, other
from torchlint.model.tree import Node

if TYPE_CHECKING:
    from torchlint.model import FileModel
    from torchlint.model.flow import Flow

BUILTINS = frozenset(dir(builtins))
_WITHOUT_VALUE = frozenset("print isinstance hasattr open callable setattr vars dir any all exit delattr slice".split())
_DTYPES = frozenset(
    f"torch.{name}"
    for name in """float float16 float32 float64 double half bfloat16 int int8 int16 int32 int64 long short uint8 bool complex64 complex128
    cfloat cdouble float8_e4m3fn float8_e5m2""".split()
)


@dataclass(slots=True)
class Arguments:
    """The evaluated arguments of one call."""

    call: cst.Call
    positional: list[Value]
    keywords: dict[str, Value]
    spread: tuple[Value, ...]
    """What is given as `*args` or `**kwargs`: an argument that seems to be missing may be in there."""

    @property
    def values(self) -> tuple[Value, ...]:
        return (*self.positional, *self.keywords.values(), *self.spread)

    def get(self, position: int | None, name: str | None = None) -> Value | None:
        if name is not None and name in self.keywords:
            return self.keywords[name]
        return self.positional[position] if position is not None and position < len(self.positional) else None

    def node(self, name: str) -> cst.BaseExpression | None:
        """The expression given for a keyword."""
        for arg in self.call.args:
            if arg.keyword is not None and arg.keyword.value == name:
                return arg.value
        return None


def evaluate(flow: Flow, call: cst.Call) -> Value:
    """The value of a call; its events are noted on the way."""
    path = flow.file.qualname(call.func)
    if path is not None:
        arguments = _arguments(flow, call)
        target = imported(flow.file, path, call.func)
        flow.values[call.func] = target
        if target.definition is not None:
            return of_value(flow, call, target, arguments)
        return _imported_call(flow, call, path, arguments)
    if isinstance(call.func, cst.Attribute):
        receiver = flow.evaluate(call.func.value)
        return methods.evaluate(flow, call, call.func, receiver, _arguments(flow, call))
    target = flow.evaluate(call.func)
    return of_value(flow, call, target, _arguments(flow, call))


def _arguments(flow: Flow, call: cst.Call) -> Arguments:
    positional: list[Value] = []
    keywords: dict[str, Value] = {}
    spread: list[Value] = []
    for arg in call.args:
        value = flow.evaluate(arg.value)
        if arg.star:
            if not keywords and not spread and arg.star == "*" and value.items:
                positional += value.items
            else:
                spread.append(value)
        elif arg.keyword is not None:
            keywords[arg.keyword.value] = value
        else:
            positional.append(value)
    return Arguments(call, positional, keywords, tuple(spread))


def of_value(flow: Flow, call: cst.Call, target: Value, arguments: Arguments) -> Value:
    """Calling a value: a function, a class, a module, or something unknown."""
    if target.kind is Kind.FUNCTION and target.definition is not None:
        return following.follow(flow, call, target, arguments)
    if target.kind is Kind.CLASS and target.definition is not None:
        return following.construct(call, target, arguments)
    if target.kind is Kind.MODULE:
        return module_call(flow, call, target, arguments)
    if target.qualname is not None and target.qualname.startswith("builtins."):
        return _builtin(flow, call, target.qualname[9:], arguments)
    if isinstance(target.node, cst.Attribute) and target.kind is Kind.UNKNOWN and target.qualname is None and len(target.sources) == 1:
        return methods.evaluate(flow, call, target.node, target.sources[0], arguments)  # `clear = optimizer.zero_grad`
    return opaque(flow, call, arguments)


def opaque(flow: Flow, call: cst.Call, arguments: Arguments, receiver: Value | None = None) -> Value:
    """A call that cannot be followed: it may do anything to what it is given, and what it returns is computed from that."""
    values = arguments.values if receiver is None else (receiver, *arguments.values)
    flow.happen(Happens.OPAQUE, call, values=values)
    return Value(node=call, sources=values)


# -- names that are imported --------------------------------------------------------------------------------------------


def imported(file: FileModel, path: str, node: Node) -> Value:
    """What an imported name stands for."""
    if path in _DTYPES:
        return Value(Kind.DTYPE, graph=Graph.NO, node=node, qualname=path)
    found = file.project_value(path, node)
    if found is not None:
        return found
    last = path.rpartition(".")[2]
    kind = Kind.CLASS if last[:1].isupper() and not last.isupper() else Kind.UNKNOWN
    return Value(kind, graph=Graph.NO, node=node, qualname=path)


def _imported_call(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    maker = _MAKERS.get(path)
    if maker is not None:
        return maker(flow, call, path, arguments)
    if path.startswith("torch."):
        return _torch_call(flow, call, path, arguments)
    if path.startswith(known_tensors.NUMERIC_PACKAGES):
        return number(call)
    if path.startswith(known_tensors.ARRAY_PACKAGES):
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
    return opaque(flow, call, arguments)


def _torch_call(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    if path in known_tensors.FACTORIES:
        return _factory(call, arguments)
    package, _, name = path.rpartition(".")
    if package in ("torch.nn.functional", "torch", "torch.special", "torch.linalg", "torch.fft", "torch.ops.aten"):
        if name in known_tensors.LOSSES:
            return _loss(flow, call, arguments)
        if name in known_tensors.PAIRS and package == "torch":
            return methods.pair(call, name, arguments.positional[0] if arguments.positional else Value(), arguments, offset=1)
        if name in known_tensors.WITHOUT_GRAPH:
            result = expressions.operate(call, *arguments.values) if arguments.values else Value()
            return Value(Kind.TENSOR, graph=Graph.NO, place=result.place, sources=arguments.values, node=call)
        if name in known_tensors.OPERATIONS or package in ("torch.special", "torch.linalg"):
            return _operation(call, name, arguments)
        if name in known_tensors.ALIASING_CONSTRUCTORS or path in known_tensors.ALIASING_CONSTRUCTORS:
            return Value(Kind.TENSOR, graph=Graph.NO, place=_device_place(arguments, Place.CPU), node=call)
    if path == "torch._foreach_zero_":
        flow.happen(Happens.CLEAR, call)
        return other(call)
    if package == "torch.nn" and name[:1].isupper() and path not in known_modules.NON_MODULES_IN_NN:
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
    return opaque(flow, call, arguments)


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
    return methods.placed(device, arguments.node("device"))


def _operation(call: cst.Call, name: str, arguments: Arguments) -> Value:
    values = arguments.values
    flat = tuple(each for value in values for each in (value.items or ((value.elem,) if value.elem is not None else (value,))))
    result = expressions.operate(call, *flat) if flat else Value()
    scalar = name in known_tensors.REDUCTIONS and len(values) == 1
    return Value(Kind.TENSOR, graph=result.graph, place=result.place, sources=values, node=call, scalar=scalar)


def _reduces(arguments: Arguments) -> bool:
    """Whether a loss leaves one element: no `reduction`, or one that is spelt out."""
    reduction = arguments.node("reduction")
    if arguments.spread or "reduce" in arguments.keywords:
        return False
    return reduction is None or isinstance(reduction, cst.SimpleString) and reduction.evaluated_value in ("mean", "sum", "batchmean")


def _loss(flow: Flow, call: cst.Call, arguments: Arguments) -> Value:
    result = expressions.operate(call, *arguments.values[:2]) if arguments.values else Value()
    return Value(Kind.TENSOR, graph=result.graph, place=result.place, sources=arguments.values, node=call, scalar=_reduces(arguments))


def module_call(flow: Flow, call: cst.Call, module: Value, arguments: Arguments) -> Value:
    """The output of a module: it carries a graph when the module has weights or an input carries one."""
    values = arguments.values
    name = module.qualname or ""
    place = max((each.place for each in (*values, module)), default=Place.UNKNOWN)
    if any(each.place is Place.CPU for each in values) and module.place is not Place.ACCELERATOR and place is not Place.ACCELERATOR:
        place = Place.CPU
    computed = expressions.operate(call, *values) if values else Value(graph=Graph.NO)
    if name in known_modules.LOSS_MODULES:
        return Value(Kind.TENSOR, graph=computed.graph, place=place, sources=values, node=call, scalar=module.scalar)
    if name in known_modules.STATELESS_MODULES:
        return Value(Kind.TENSOR, graph=computed.graph, place=place, sources=values, node=call)
    if module.definition is not None:
        return following.forward(flow, call, module, arguments, place)
    if name in known_modules.TUPLE_MODULES:
        return _two(call, name, arguments, place, graph=Graph.NO if flow.env.grad is False else Graph.YES)
    kind = Kind.UNKNOWN
    if name == "torch.nn.Sequential" or name.startswith("torch.nn.") and name[9:].startswith(known_modules.TENSOR_MODULE_PREFIXES):
        kind = Kind.TENSOR
    return Value(kind, graph=Graph.NO if flow.env.grad is False else Graph.YES, place=place, sources=(module, *values), node=call)


def _two(call: cst.Call, name: str, arguments: Arguments, place: Place, graph: Graph) -> Value:
    """What recurrent and attention layers return."""

    def part(kind: Kind, items: tuple[Value, ...] | None = None) -> Value:
        return Value(kind, graph=graph, place=place, sources=items or arguments.values, node=call, items=items)

    first, second = part(Kind.TENSOR), part(Kind.TENSOR)
    if name in known_modules.RECURRENT_MODULES:
        given = arguments.get(0, "input")
        first = part(Kind.TENSOR if given is not None and given.is_tensor else Kind.UNKNOWN)
    if name == "torch.nn.LSTM":
        second = part(Kind.TUPLE, (second, part(Kind.TENSOR)))
    second.optional = name == "torch.nn.MultiheadAttention"  # need_weights=False
    return part(Kind.TUPLE, (first, second))


# -- makers: one row per imported callable with a meaning of its own ------------------------------------------------------

Maker = Callable[["Flow", cst.Call, str, Arguments], Value]


def _make(kind: Kind) -> Maker:
    def make(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
        return Value(kind, graph=Graph.NO, node=call, qualname=path, sources=arguments.values)

    return make


def _parameter(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    wants = arguments.node("requires_grad")
    return Value(Kind.TENSOR, graph=Graph.YES if wants is None else Graph.MAYBE, node=call, qualname=path, leaf=True)


def _device(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> Value:
    first = call.args[0].value if call.args else None
    return Value(
        Kind.DEVICE, graph=Graph.NO, place=methods.placed(arguments.positional[0] if arguments.positional else Value(), first), node=call
    )


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
        flow.env.grad = expressions.grad_mode(value)
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
    **dict.fromkeys(known_modules.SCALERS, _make(Kind.SCALER)),
    **dict.fromkeys(known_modules.LOADERS, _make(Kind.LOADER)),
    **dict.fromkeys(known_modules.DATASETS, _make(Kind.DATASET)),
    **dict.fromkeys(known_modules.MANAGERS, _make(Kind.MANAGER)),
    **dict.fromkeys(known_modules.GRAD_OFF, _grad_off),
    **dict.fromkeys(known_modules.GRAD_ON, _grad_on),
    **dict.fromkeys(known_modules.GRAD_SET, _grad_set),
    **dict.fromkeys(known_modules.PASS_THROUGH, _pass_through),
    "collections.deque": lambda flow, call, path, arguments: Value(Kind.LIST, graph=Graph.NO, node=call, sources=arguments.values),
    "collections.defaultdict": lambda flow, call, path, arguments: Value(Kind.DICT, graph=Graph.NO, node=call),
    "collections.OrderedDict": lambda flow, call, path, arguments: Value(Kind.DICT, graph=Graph.NO, node=call),
}


# -- builtins -----------------------------------------------------------------------------------------------------------


def _is_grad(call: cst.Call) -> bool:
    """`setattr(p, "grad", …)`."""
    named = call.args[1].value if len(call.args) > 1 else None
    return isinstance(named, cst.SimpleString) and named.evaluated_value == "grad"


def _builtin(flow: Flow, call: cst.Call, name: str, arguments: Arguments) -> Value:
    first = arguments.positional[0] if arguments.positional else None
    if name in ("float", "int", "len", "bool", "round", "abs", "pow", "divmod", "hash", "id", "ord") and name not in (
        "abs",
        "round",
        "pow",
    ):
        return number(call)
    if name in ("str", "repr", "format", "chr", "input", "type"):
        return Value(Kind.STRING, graph=Graph.NO, node=call)
    if first is None:
        kinds = {"list": Kind.LIST, "dict": Kind.DICT, "tuple": Kind.TUPLE, "set": Kind.LIST, "super": Kind.UNKNOWN}
        kind = kinds.get(name, Kind.OTHER)
        return Value(
            kind,
            graph=Graph.NO,
            node=call,
            elem=None if not arguments.keywords or kind is not Kind.DICT else next(iter(arguments.keywords.values())),
        )
    if name in ("list", "tuple", "set", "sorted", "reversed", "iter", "filter", "frozenset"):
        source = arguments.positional[1] if name == "filter" and len(arguments.positional) > 1 else first
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=expressions.element(source, call), sources=(source,))
    if name == "dict":
        return Value(Kind.DICT, graph=Graph.NO, node=call, elem=first.elem, sources=(first,))
    if name == "enumerate":
        pair = Value(Kind.TUPLE, graph=Graph.NO, node=call, items=(number(call), expressions.element(first, call)))
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=pair, sources=(first,))
    if name == "zip":
        row = Value(Kind.TUPLE, graph=Graph.NO, node=call, items=tuple(expressions.element(each, call) for each in arguments.positional))
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=row, sources=arguments.values)
    if name == "range":
        return Value(Kind.LIST, graph=Graph.NO, node=call, elem=number(call))
    if name == "next":
        return expressions.element(first, call)
    if name in ("sum", "min", "max"):
        parts = (expressions.element(first, call),) if len(arguments.positional) == 1 or name == "sum" else tuple(arguments.positional)
        result = expressions.operate(call, *parts)
        reduced = Value(
            result.kind,
            graph=result.graph,
            place=result.place,
            sources=arguments.values,
            node=call,
            scalar=all(each.scalar for each in parts),
        )
        reduced.optional = name == "sum" and not (isinstance(first.node, (cst.List, cst.Tuple)) and first.node.elements)  # sum([]) is 0
        return reduced
    if name in ("abs", "round", "pow"):
        return expressions.operate(call, first)
    if name == "setattr" and _is_grad(call):
        flow.happen(Happens.CLEAR, call)
    if name in _WITHOUT_VALUE:
        return other(call)
    return opaque(flow, call, arguments)

"""What is known of a function's parameters before its body is read: annotations, what the body does with them, who calls it with what.

A parameter's name proves nothing. Callers in the same file do: where all of them hand over a model, the parameter is a model.
"""

from __future__ import annotations

import libcst as cst

from torchlint.facts import modules as known
from torchlint.facts.classes import PARAMETER, derives
from torchlint.facts.tensors import MODEL_PACKAGES, MODULE_EVIDENCE, MOVES
from torchlint.syntax.literals import spelled_out, text
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node
from torchlint.values import namesakes
from torchlint.values.flow import Analysis, Flow
from torchlint.values.instances import kind_of_instance
from torchlint.values.value import Graph, Kind, Place, Value, number

_PLAIN = frozenset({Kind.TENSOR, Kind.DEVICE, Kind.DTYPE, Kind.GENERATOR, Kind.NDARRAY})
"""What is of interest for its kind alone, whatever class it is of."""
_BUILTIN_ANNOTATIONS = {"int": Kind.NUMBER, "float": Kind.NUMBER, "bool": Kind.NUMBER, "str": Kind.STRING}
_CONTAINER_ANNOTATIONS = {
    **dict.fromkeys(("list", "typing.List", "typing.Sequence", "collections.abc.Sequence"), Kind.LIST),
    **dict.fromkeys(("tuple", "typing.Tuple"), Kind.TUPLE),
    **dict.fromkeys(("dict", "typing.Dict", "typing.Mapping", "collections.abc.Mapping", "collections.OrderedDict"), Kind.DICT),
    **dict.fromkeys(("typing.Iterable", "collections.abc.Iterable", "typing.Collection", "collections.abc.Collection"), Kind.UNKNOWN),
}
_DEPTH = 3


def enter(flow: Flow) -> None:
    """Bind the parameters of the function that `flow` is about to read."""
    node = flow.node
    if not isinstance(node, (cst.FunctionDef, cst.Lambda)):
        return
    file = flow.file
    parameters = [*node.params.posonly_params, *node.params.params, *node.params.kwonly_params]
    owner = file.owner(node)
    static = isinstance(node, cst.FunctionDef) and _decorated(node, "staticmethod")
    for position, parameter in enumerate(parameters):
        name = parameter.name.value
        if owner is not None and position == 0 and not static:
            kind = Kind.MODULE if owner.is_module else Kind.OBJECT
            value = Value(kind, node=parameter, definition=owner)
            flow.owner = owner
        else:
            value = Value(node=parameter)
            value.optional = isinstance(parameter.default, cst.Name) and parameter.default.value == "None"
            if parameter.annotation is not None:
                annotate(flow, value, parameter.annotation)
            elif isinstance(parameter.default, (cst.Integer, cst.Float)):
                value.kind, value.graph = Kind.NUMBER, Graph.NO
            if value.kind is Kind.UNKNOWN and isinstance(node, cst.FunctionDef):
                _uses(flow, node, name, value)
                if owner is None and value.kind in (Kind.UNKNOWN, Kind.MODULE):
                    _callers(file, node, parameter, position, value)
                if value.kind is Kind.UNKNOWN:
                    _namesakes(file, node, name, value)
        flow.parameters[name] = flow.env.places[name] = value
    for star, kind in ((node.params.star_arg, Kind.TUPLE), (node.params.star_kwarg, Kind.DICT)):
        if isinstance(star, cst.Param):
            each = Value(node=star)
            if star.annotation is not None:
                annotate(flow, each, star.annotation)
            flow.env.places[star.name.value] = Value(kind, node=star, elem=each if each.kind is Kind.MODULE else None)
    if isinstance(node, cst.FunctionDef):
        flow.env.grad = _recorded(file, node, owner is not None and owner.is_managed)


def _decorated(node: cst.FunctionDef, name: str) -> bool:
    return any(isinstance(each.decorator, cst.Name) and each.decorator.value == name for each in node.decorators)


def _recorded(file: Analysis, node: cst.FunctionDef, managed: bool) -> bool | None:
    """Whether gradients are recorded when the body starts: decorators, the framework, and the callers decide."""
    for each in node.decorators:
        decorator = each.decorator
        path = file.qualname(decorator.func if isinstance(decorator, cst.Call) else decorator)
        if path in known.GRAD_OFF:
            return False
        if path in known.GRAD_ON:
            return True
    if managed and node.name.value in known.EVALUATION_STEPS:
        return False
    return file.called_with_gradients(node)


def annotate(flow: Flow, value: Value, annotation: cst.Annotation) -> None:
    """Take the kind that an annotation promises; `Optional[X]` and `X | None` promise X."""
    _promise(flow, value, annotation.annotation)


def _promise(flow: Flow, value: Value, node: Node) -> None:
    file = flow.file
    if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)):
        quoted = _unquoted(node)
        if quoted is not None:
            _promise(flow, value, quoted)
        return
    if isinstance(node, cst.BinaryOperation):
        sides = [side for side in (node.left, node.right) if not (isinstance(side, cst.Name) and side.value == "None")]
        if len(sides) != 1:
            return
        node, value.optional = sides[0], True
    if isinstance(node, cst.Subscript):
        inner = node.slice[0].slice
        if file.qualname(node.value) != "typing.Optional":
            _promise_container(flow, value, node)
            return
        if isinstance(inner, cst.Index):
            value.optional = True
            _promise(flow, value, inner.value)
        return
    path = file.qualname(node)
    if path is None:
        name = node.value if isinstance(node, cst.Name) else ""
        kind = _BUILTIN_ANNOTATIONS.get(str(name))
        if kind is not None:
            value.kind, value.graph = kind, Graph.NO
            return
        found = file.names.definition(node) if isinstance(node, cst.Name) else None
        if found is not None and found.how is Binds.CLASS and isinstance(found.node, cst.ClassDef):
            model = file.class_model(found.node)
            value.definition = model
            value.kind = Kind.MODULE if model.is_module else model.instance_kind
        return
    kind = kind_of_instance(path)
    if kind in _PLAIN:
        value.kind = kind
        if derives(path, PARAMETER):
            value.graph = Graph.YES
        if value.kind is Kind.DEVICE:
            value.place = Place.ACCELERATOR
    else:
        value.kind = kind_of_class(file, path) or Kind.UNKNOWN
        if value.kind is not Kind.UNKNOWN:
            value.qualname = path


def _unquoted(node: cst.SimpleString | cst.ConcatenatedString) -> Node | None:
    """The expression that a quoted annotation spells; its names are looked up at the top of the file."""
    try:
        return cst.parse_expression(text(node) or "")
    except cst.ParserSyntaxError:
        return None  # Python does not read it either


def _promise_container(flow: Flow, value: Value, node: cst.Subscript) -> None:
    """`list[nn.Module]`, `Dict[str, nn.Module]`: what a container of modules yields. An `Iterable` yields as much, and may be anything."""
    path = flow.file.qualname(node.value) or (node.value.value if isinstance(node.value, cst.Name) else "")
    if path not in _CONTAINER_ANNOTATIONS:
        return
    kind = _CONTAINER_ANNOTATIONS[path]
    parts = [each.slice.value for each in node.slice if isinstance(each.slice, cst.Index)]
    part = parts[-1] if kind is Kind.DICT else parts[0]
    elem = Value(node=value.node)
    _promise(flow, elem, part)
    if elem.kind is Kind.MODULE:
        value.kind, value.elem = kind, elem


def kind_of_class(file: Analysis, path: str) -> Kind | None:
    """The kind of the instances of an imported class, where it is more than a plain value."""
    kind = kind_of_instance(path)
    if kind is not None and kind not in _PLAIN:
        return kind
    found = file.project_value(path, file.module)
    if found is not None and found.kind is Kind.CLASS and found.cls is not None:
        return Kind.MODULE if found.cls.is_module else None
    return None


def _uses(flow: Flow, function: cst.FunctionDef, name: str, value: Value) -> None:
    """What the body asks of the parameter, anywhere in it."""
    methods = flow.file.methods_called_on(function, name)
    if "zero_grad" in methods and "step" in methods or "param_groups" in methods:
        value.kind, value.graph = Kind.OPTIMIZER, Graph.NO
    elif methods & MODULE_EVIDENCE and "step" not in methods:
        value.kind = Kind.MODULE


def _callers(file: Analysis, function: cst.FunctionDef, parameter: cst.Param, position: int, value: Value) -> None:
    """What the callers in this file agree to hand over."""
    given = [sketch(file, argument, _DEPTH) for argument in file.arguments_for(function, parameter.name.value, position)]
    if not given or any(each is None for each in given):
        return
    first = given[0]
    assert first is not None
    if any(each is None or each.kind is not first.kind for each in given):
        return
    value.kind, value.graph, value.place = first.kind, first.graph, first.place
    if all(each is not None and each.definition is first.definition for each in given):
        value.definition = first.definition
    if all(each is not None and each.qualname == first.qualname for each in given):
        value.qualname = first.qualname


def _namesakes(file: Analysis, function: cst.FunctionDef, name: str, value: Value) -> None:
    """What the other variables of this name are."""
    found = namesakes.module(file, function, name, sketch)
    if found is not None:
        value.kind, value.qualname, value.definition, value.scalar = Kind.MODULE, found.qualname, found.definition, found.scalar


def sketch(file: Analysis, node: Node, depth: int) -> Value | None:
    """What an argument is, read from where its name is bound, without running the caller: enough for models, loaders, optimizers, devices.

    None where that cannot be told.
    """
    if depth == 0:
        return None
    if isinstance(node, (cst.Integer, cst.Float)):
        return number(node)
    if isinstance(node, cst.SimpleString):
        return Value(Kind.STRING, graph=Graph.NO, node=node)
    if isinstance(node, cst.Name):
        return _sketch_name(file, node, depth)
    if isinstance(node, cst.Call):
        return _sketch_call(file, node, depth)
    if isinstance(node, cst.IfExp):
        a, b = sketch(file, node.body, depth), sketch(file, node.orelse, depth)
        return a if a is not None and b is not None and a.kind is b.kind else None
    return None


def _sketch_name(file: Analysis, node: cst.Name, depth: int) -> Value | None:
    found: Value | None = None
    for binding in file.names.bindings(node):
        if binding.how is Binds.PARAMETER:
            parameter = file.parent(binding.node)
            function = file.function(parameter) if parameter is not None else None
            if isinstance(function, cst.FunctionDef) and isinstance(parameter, cst.Param):
                seeded = Value(node=parameter)
                position = _position(function, parameter)
                if file.owner(function) is None and position is not None:
                    given = [sketch(file, each, depth - 1) for each in file.arguments_for(function, parameter.name.value, position)]
                    if given and given[0] is not None and all(each is not None and each.kind is given[0].kind for each in given):
                        seeded = given[0]
                found = seeded if seeded.kind is not Kind.UNKNOWN else None
            if found is None:
                return None
            continue
        if binding.value is None:
            return None
        if isinstance(binding.value, cst.Name) and binding.value.value in (node.value, "None"):
            continue
        value = sketch(file, binding.value, depth - 1)
        if value is None or found is not None and found.kind is not value.kind:
            return None
        found = value if found is None or value.place is Place.ACCELERATOR else found
    return found


def _position(function: cst.FunctionDef, parameter: cst.Param) -> int | None:
    """Which argument the parameter takes; None for `*args` and `**kwargs`."""
    named = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    return next((position for position, each in enumerate(named) if each is parameter), None)


def _sketch_call(file: Analysis, node: cst.Call, depth: int) -> Value | None:
    func = node.func
    path = file.qualname(func)
    if path is not None:
        kind = kind_of_instance(path)
        if kind is Kind.DEVICE:
            cpu = (
                len(node.args) == 1 and isinstance(node.args[0].value, cst.SimpleString) and spelled_out(node.args[0].value.value) == "cpu"
            )
            return Value(Kind.DEVICE, graph=Graph.NO, place=Place.CPU if cpu else Place.ACCELERATOR, node=node)
        if path in known.PARALLEL_WRAPPERS and node.args:
            return sketch(file, node.args[0].value, depth - 1)
        kind = Kind.MODULE if path.startswith(MODEL_PACKAGES) else kind_of_class(file, path)
        found = file.project_value(path, node)
        definition = found.definition if found is not None and kind is Kind.MODULE else None
        return Value(kind, node=node, qualname=path, definition=definition) if kind is not None else None
    if isinstance(func, cst.Attribute) and (func.attr.value in MOVES or func.attr.value in known.SELF_RETURNING_METHODS):
        inner = sketch(file, func.value, depth)
        if inner is not None and inner.kind is Kind.MODULE and func.attr.value in ("to", "cuda"):
            return Value(Kind.MODULE, place=Place.ACCELERATOR, node=node, qualname=inner.qualname, definition=inner.definition)
        return inner if inner is not None and inner.kind is Kind.MODULE else None
    if isinstance(func, cst.Name):
        found_class = file.names.definition(func)
        if found_class is not None and found_class.how is Binds.CLASS and isinstance(found_class.node, cst.ClassDef):
            model = file.class_model(found_class.node)
            return Value(Kind.MODULE if model.is_module else model.instance_kind, node=node, definition=model)
    return None

"""How a copy of a tensor that `torch.tensor` makes is written without it, and whether it is certainly a tensor that is copied."""

from __future__ import annotations

import libcst as cst

from torchlint import rewrite
from torchlint.facts.operations import operation
from torchlint.facts.tensors import TENSOR_EVIDENCE
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import UNSAFE, Fix
from torchlint.rules.numerics._legacy import DEFAULT_DEVICES
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Kind, Value

_ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript)
_ASKING = frozenset({"isinstance", "is_tensor", "hasattr", "type"})


def of_tensors(file: FileAnalysis, data: Node) -> bool:
    """Whether it is a list of several, written out or made in place, of nothing but tensors, and a graph leads to one of them."""
    if isinstance(data, (cst.List, cst.Tuple)):
        parts = [file.value(each.value) for each in data.elements if isinstance(each, cst.Element)]
        are_several = len(parts) > 1 and len(parts) == len(data.elements)
        return are_several and all(_is_tensor(each) for each in parts) and any(each.has_graph for each in parts)
    return isinstance(data, cst.ListComp) and _is_tensor(made := file.value(data.elt)) and made.has_graph


def _is_tensor(value: Value) -> bool:
    return value.is_tensor and not value.optional


def asks_whether_tensor(file: FileAnalysis, call: Node, data: Node) -> bool:
    """Whether a condition around the call asks what it is given, perhaps by another name: `if not torch.is_tensor(x)`."""
    bound = [each.value for each in file.names.bindings(data)] if isinstance(data, cst.Name) else []
    names = {file.source(data), *(file.source(each) for each in bound if each is not None)}
    for each in file.ancestors(call):
        test = each.test if isinstance(each, (cst.If, cst.IfExp, cst.While)) else None
        for part in descendants(test) if test is not None else ():
            if isinstance(part, cst.Call) and _called(part) in _ASKING and any(file.source(arg.value) in names for arg in part.args):
                return True
    return False


def _called(call: cst.Call) -> str:
    named = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    return named.value if isinstance(named, cst.Name) else ""


def is_proven(file: FileAnalysis, value: Value) -> bool:
    """Whether the value is a tensor whatever a parameter may be given in spite of its annotation: a function of torch made it."""
    made = value.node
    if value.is_joined or not isinstance(made, cst.Call):
        return False
    if isinstance(made.func, cst.Attribute) and made.func.attr.value in TENSOR_EVIDENCE:
        return True
    return operation(file.qualname(made.func) or "") is not None


def copied(file: FileAnalysis, call: cst.Call, data: cst.BaseExpression) -> Fix | None:
    """`data.detach().clone()`, and whatever else the call asks for."""
    cast = casts(file, call, data)
    if cast is None:
        return None
    source = file.source(data)
    text = source if isinstance(data, _ATOMS) else f"({source})"
    cut = "" if isinstance(data, cst.Call) and isinstance(data.func, cst.Attribute) and data.func.attr.value == "detach" else ".detach()"
    fix = rewrite.replace(call, f"{text}{cut}.clone(){cast}")
    return fix.at_most(UNSAFE) if file.is_written(DEFAULT_DEVICES) else fix


def casts(file: FileAnalysis, call: cst.Call, data: Node) -> str | None:
    """The methods that do what the arguments beside the data ask for; None where there is none for one."""
    given = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None and arg.value is not data}
    if any(arg.keyword is None and arg.value is not data for arg in call.args) or not set(given) <= {"dtype", "device", "requires_grad"}:
        return None
    moves = [(name, given[name]) for name in ("device", "dtype") if name in given and literal(given[name]) is not None]
    text = ""
    if len(moves) == 1 and _is_plain(file, *moves[0]):
        text = f".to({file.source(moves[0][1])})"
    elif moves:
        text = f".to({', '.join(f'{name}={file.source(node)}' for name, node in moves)})"
    wants = given.get("requires_grad")
    if wants is not None and literal(wants) is not False:
        text += ".requires_grad_()" if literal(wants) is True else f".requires_grad_({file.source(wants)})"
    return text


def _is_plain(file: FileAnalysis, name: str, node: Node) -> bool:
    """Whether `.to` takes it for what it is without being told, which it does not with None."""
    kind = file.value(node).kind
    return kind is Kind.DTYPE if name == "dtype" else kind in (Kind.DEVICE, Kind.STRING)

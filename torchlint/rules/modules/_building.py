"""Modules and parameters that are made where a module computes, and expressions that make modules."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.facts import modules as known
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._registration import is_on_instance
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind

_PARAMETER = "torch.nn.Parameter"
_PLAIN_NORMS = {f"torch.nn.InstanceNorm{n}d": ("affine", "track_running_stats") for n in (1, 2, 3)}
"""Norms that have neither weights nor statistics unless they are told to."""
_AFFINE = {"torch.nn.LayerNorm": "elementwise_affine", "torch.nn.GroupNorm": "affine", "torch.nn.RMSNorm": "elementwise_affine"}
"""Norms without statistics, and the argument that leaves out their weights."""
_SET_AFTERWARDS = frozenset("weight bias data load_state_dict parameters state_dict requires_grad_ in_proj_weight out_proj weights".split())
_DIFFERENTIATES = re.compile(r"autograd\.grad\(|\.backward\(|optim\.\w+\(|jacobian\(|\bgrad\(")
_LAZY = re.compile(r"is None|is not None|hasattr|not self\.\w+|initiali[sz]ed|not in |\bin self\.|built|first|==|!=|len\(|try|shape|size")


def makes_weighted(file: FileAnalysis, node: Node) -> bool:
    """Whether a call makes a module that has weights, statistics or a mode of its own: another one each time."""
    if not isinstance(node, cst.Call):
        return False
    value = file.value(node)
    if value.kind is not Kind.MODULE or value.node is not node:
        return False
    if value.cls is not None:
        return value.cls.is_module and value.cls.has_weights and file.class_of(node.func) is value.cls
    path = file.qualname(node.func) or ""
    if not path.startswith("torch.nn.") or path != value.qualname or not path.rpartition(".")[2][:1].isupper():
        return False
    return _has_state(node, path)


def _has_state(call: cst.Call, path: str) -> bool:
    given = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
    if path in known.STATELESS_MODULES or path in known.LOSS_MODULES or path in known.PARALLEL_WRAPPERS:
        return False
    if path in ("torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict"):
        return False  # what is in them is what counts
    if path in _PLAIN_NORMS:
        return any(name in given and not _is_false(given[name]) for name in _PLAIN_NORMS[path])
    if path in _AFFINE:
        return not _is_false(given.get(_AFFINE[path]))
    return path.rpartition(".")[0] == "torch.nn"


def _is_false(node: Node | None) -> bool:
    return isinstance(node, cst.Name) and node.value == "False"


def built_in_forward(file: FileAnalysis) -> Iterator[cst.Call]:
    """The calls in `forward` that make a module with weights or a mode each time it runs."""
    for model, forward in _forwards(file):
        for call in file.inside(forward.body, cst.Call):
            if file.function(call) is forward and makes_weighted(file, call) and not _is_meant(file, model, forward, call):
                yield call


def parameters_in_forward(file: FileAnalysis) -> Iterator[cst.Call]:
    """The calls in `forward` that make a parameter each time it runs."""
    for model, forward in _forwards(file):
        for call in file.inside(forward.body, cst.Call):
            if file.function(call) is not forward or file.qualname(call.func) != _PARAMETER or _is_meant(file, model, forward, call):
                continue
            if any(arg.keyword is not None and arg.keyword.value == "requires_grad" and _is_false(arg.value) for arg in call.args):
                continue  # no gradient is wanted
            if len(call.args) > 1 and _is_false(call.args[1].value):
                continue
            yield call


def _forwards(file: FileAnalysis) -> Iterator[tuple[ClassModel, cst.FunctionDef]]:
    for model in file.classes():
        forward = model.own_methods.get("forward")
        if forward is not None and model.is_module and not forward.decorators:
            yield model, forward


def _is_meant(file: FileAnalysis, model: ClassModel, forward: cst.FunctionDef, call: cst.Call) -> bool:
    """Whether it is made once (under a question whether it is there), given its weights here, or trained here."""
    if _DIFFERENTIATES.search(file.source(forward)):
        return True  # something is optimised within
    flow = file.flow(forward)
    statement = file.statement(call)
    conditions = flow.when.get(statement, ())
    if any(_LAZY.search(file.source(each.test)) for each in conditions if isinstance(each.test, cst.BaseExpression)):
        return True
    kept = _name_of(file, call)
    if kept is None:
        return False
    uses: list[cst.Name] | list[cst.Attribute]
    if isinstance(kept, cst.Name):
        uses = file.references(kept)
    else:
        uses = [each for each in file.tree.attributes.get(kept.attr.value, ()) if is_on_instance(file, each, model.node)]
    return any(isinstance(above := file.parent(each), cst.Attribute) and above.attr.value in _SET_AFTERWARDS for each in uses)


def _name_of(file: FileAnalysis, call: cst.Call) -> cst.Name | cst.Attribute | None:
    """What the made thing is assigned to."""
    for each in file.ancestors(call):
        if isinstance(each, cst.Assign):
            target = each.targets[0].target
            return target if isinstance(target, (cst.Name, cst.Attribute)) else None
        if isinstance(each, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            return None
    return None

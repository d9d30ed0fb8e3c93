"""Modules and parameters that are made where a module computes, and expressions that make modules."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.facts import modules as known
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._registration import instance_name, is_on_instance
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind

_PARAMETER = "torch.nn.Parameter"
_PLAIN_NORMS = {f"torch.nn.InstanceNorm{n}d": ("affine", "track_running_stats") for n in (1, 2, 3)}
"""Norms that have neither weights nor statistics unless they are told to."""
_AFFINE = {"torch.nn.LayerNorm": "elementwise_affine", "torch.nn.GroupNorm": "affine", "torch.nn.RMSNorm": "elementwise_affine"}
"""Norms without statistics, and the argument that leaves out their weights."""
_SET_AFTERWARDS = frozenset("weight bias data load_state_dict parameters state_dict requires_grad_ in_proj_weight out_proj weights".split())
_DIFFERENTIATES = re.compile(r"autograd\.grad\(|\.backward\(|optim\.\w+\(|jacobian\(|\bgrad\(")


def makes_weighted(file: FileAnalysis, node: Node) -> bool:
    """Whether a call makes a module that has weights, statistics or a mode of its own: another one each time."""
    if not isinstance(node, cst.Call):
        return False
    path = file.qualname(node.func) or ""
    if path.startswith("torch."):
        is_layer = path.startswith("torch.nn.") and path.rpartition(".")[2][:1].isupper()
        return is_layer and _has_state(node, path) and file.value(node).qualname == path and file.value(node).kind is Kind.MODULE
    owner = file.class_of(node.func)
    return owner is not None and owner.is_module and owner.has_weights and file.value(node).kind is Kind.MODULE


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
    """Whether it is made once (kept, under a question whether it is there), given its weights here, or trained here."""
    if _DIFFERENTIATES.search(file.source(forward)):
        return True  # something is optimised within
    conditions = file.flow(forward).when.get(file.statement(call), ())
    if "Dropout" in file.source(call.func):
        return any(re.search("train|eval", file.source(each.test)) for each in conditions)
    target = _target(file, call)
    uses: list[cst.Name] | list[cst.Attribute] = []
    if isinstance(target, cst.Name):
        uses = file.references(target)
    elif isinstance(target, cst.Attribute):
        uses = [each for each in file.tree.attributes.get(target.attr.value, ()) if is_on_instance(file, each, model.node)]
    if conditions and (_is_kept(file, model, call) or any(_is_kept(file, model, each) for each in uses if isinstance(each, cst.Name))):
        return True
    return any(isinstance(above := file.parent(each), cst.Attribute) and above.attr.value in _SET_AFTERWARDS for each in uses)


def _target(file: FileAnalysis, node: Node) -> cst.Name | cst.Attribute | None:
    """What the made thing is assigned to."""
    for each in file.ancestors(node):
        if isinstance(each, cst.Assign):
            target = each.targets[0].target
            return target if isinstance(target, (cst.Name, cst.Attribute)) else None
        if isinstance(each, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            return None
    return None


def _is_kept(file: FileAnalysis, model: ClassModel, node: Node) -> bool:
    """Whether the statement leaves it with the instance: an attribute, `self.layers.append(…)`, `setattr(self, …)`."""
    instance = instance_name(file, node, model.node)
    for each in file.ancestors(node):
        if isinstance(each, cst.Assign):
            targets = [target.target for target in each.targets]
            return any(_begins_with(target, instance) for target in targets if isinstance(target, (cst.Attribute, cst.Subscript)))
        if isinstance(each, cst.Expr):
            return (
                _begins_with(each.value, instance)
                or isinstance(each.value, cst.Call)
                and any(isinstance(arg.value, cst.Name) and arg.value.value == instance for arg in each.value.args)
            )
        if isinstance(each, cst.BaseCompoundStatement):
            return False
    return False


def _begins_with(node: Node, instance: str | None) -> bool:
    """`self.layers`, `self.layers[0].append(…)`"""
    while isinstance(node, (cst.Attribute, cst.Subscript, cst.Call)):
        node = node.func if isinstance(node, cst.Call) else node.value
    return isinstance(node, cst.Name) and node.value == instance

"""Modes that are set by assignment, which reaches a module alone and none of its layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.training._modes import depends_on_mode
from torchlint.syntax.literals import literal
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Kind, Value

_OF_MODULES = frozenset("torch.nn.Module torch.nn.Sequential torch.nn.DataParallel torch.nn.parallel.DistributedDataParallel".split())
"""What may have layers, of all that torch has."""


@dataclass
class Flag:
    """`module.training = …`, `module.eval = True`, `module.train = False`"""

    statement: cst.Assign
    module: Value
    target: cst.Attribute
    call: str
    """What sets the mode of all layers: `eval()`, `train()`, `train(before)`."""
    is_certain: bool
    """There are layers for which the mode makes a difference."""


def flags(file: FileAnalysis) -> Iterator[Flag]:
    for statement in file.nodes(cst.Assign):
        target = statement.targets[0].target
        if len(statement.targets) != 1 or not isinstance(target, cst.Attribute) or target.attr.value not in ("training", "eval", "train"):
            continue
        module = file.value(target.value)
        if module.kind is not Kind.MODULE or _is_own_code(file, statement) or _may_be_a_layer(file, target.value, module):
            continue
        call = (
            _call_for_flag(file, target, statement.value) if target.attr.value == "training" else _call_for_method(target, statement.value)
        )
        reaches = _has_modal_layers(module)
        if call is not None and reaches is not False and not _is_own_attribute(module, target.attr.value):
            yield Flag(statement, module, target, call, reaches is True)


def _call_for_method(target: cst.Attribute, given: cst.BaseExpression) -> str | None:
    asked = literal(given)
    return None if not isinstance(asked, bool) else "train()" if asked is (target.attr.value == "train") else "eval()"


def _call_for_flag(file: FileAnalysis, target: cst.Attribute, given: cst.BaseExpression) -> str | None:
    """A literal counts where nothing else sets the mode of the module, and one that was kept where something else did."""
    asked, is_switched = literal(given), _is_switched(file, target)
    if isinstance(asked, bool):
        return None if is_switched else "train()" if asked else "eval()"
    kept = file.value(given).node
    if not is_switched or not isinstance(given, cst.Name) or not isinstance(kept, cst.Attribute) or kept.attr.value != "training":
        return None
    return f"train({given.value})" if file.source(kept.value) == file.source(target.value) else None


def _is_switched(file: FileAnalysis, target: cst.Attribute) -> bool:
    """Whether the function sets the mode of the module, layers and all, as well."""
    return any(
        isinstance(call.func, cst.Attribute)
        and file.function(call) is file.function(target)
        and file.source(call.func.value) == file.source(target.value)
        for method in ("eval", "train")
        for call in file.methods(method)
    )


def _is_own_code(file: FileAnalysis, node: Node) -> bool:
    """Whether a module's own methods set it: they may well know what they do."""
    around = (file.class_model(each) for each in file.ancestors(node) if isinstance(each, cst.ClassDef))
    return any(each.is_module for each in around)


def _is_own_attribute(module: Value, name: str) -> bool:
    """Whether the class has another meaning for the name: `self.train = train`."""
    return module.cls is not None and (module.cls.assigns(name) or module.cls.method(name) is not None)


def _may_be_a_layer(file: FileAnalysis, named: Node, module: Value) -> bool:
    """Whether it is a single layer, or one of several that a loop goes through."""
    if module.cls is None and module.qualname is not None:
        return module.qualname not in _OF_MODULES and not module.qualname.startswith("torchvision.models.")
    if isinstance(named, cst.Name):
        return any(binding.how is Binds.TARGET for binding in file.names.bindings(named))
    return not isinstance(named, cst.Attribute)


def _has_modal_layers(module: Value) -> bool | None:
    """Whether a layer depends on the mode; a module that asks for its own flag, and has none such, is reached by an assignment."""
    if not isinstance(module.definition, ClassModel):
        return depends_on_mode(module)
    made = [_layers(each) for each in module.definition.ancestry if isinstance(each, ClassModel)]
    found = {depends_on_mode(layer) for layers in made for layer in layers}
    return True if True in found else None if None in found or module.definition.is_open else False


def _layers(model: ClassModel) -> list[Value]:
    values = [(node, model.file.value(node)) for node in descendants(model.node) if isinstance(node, cst.Call)]
    return [value for node, value in values if value.kind is Kind.MODULE and value.node is node]

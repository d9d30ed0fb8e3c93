"""Functions of torch that behave differently in training, called in a module without a word on its mode."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.facts.operations import Form
from torchlint.model import FileModel
from torchlint.model.operations import Use
from torchlint.rules.modules._registration import instance_name
from torchlint.syntax.tree import Node

_FUNCTIONAL = "torch.nn.functional."
_ON_PURPOSE = re.compile(
    r"(?:^|_)mc(?:_|$)|monte|bayes|uncertain|stochastic|always|sample|augment|corrupt|noise|noisy|perturb|mask", re.IGNORECASE
)
"""Names by which code says that it drops in any mode."""


def modal_calls(file: FileModel, *names: str) -> Iterator[tuple[Use, str]]:
    """The calls of these functions in methods of modules, without `training` and where the mode is not asked; with the instance's name."""
    for use in file.operations(*names):
        path = file.qualname(use.call.func) or ""
        if use.form is not Form.FUNCTION or not path.startswith(_FUNCTIONAL) or use.arguments.may_have("training"):
            continue
        module = file.module_of(use.call)
        instance = instance_name(file.analysis, use.call, module.node) if module is not None else None
        if module is None or instance is None or _asks_for_mode(file, use.call) or _is_named_so(file, use.call):
            continue
        yield use, instance


def _asks_for_mode(file: FileModel, call: cst.Call) -> bool:
    """Whether something about the mode, or a flag for it, must hold for the call to be reached."""
    for condition in file.when(call):
        if re.search(r"training|train|eval|inference|deterministic|dropout|drop", file.source(condition.test)):
            return True
    return False


def _is_named_so(file: FileModel, node: Node) -> bool:
    around = (each.name.value for each in file.ancestors(node) if isinstance(each, (cst.FunctionDef, cst.ClassDef)))
    return any(_ON_PURPOSE.search(_words(name)) for name in around)


def _words(name: str) -> str:
    """`MCDropout` as `mc_dropout`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)


def is_frozen_norm(file: FileModel, use: Use) -> bool:
    """Whether a batch norm is told to use statistics that are given, and its weight is nothing that trains."""
    module = file.module_of(use.call)
    if module is None or re.search(r"frozen|freeze|fixed|eval|static", module.name, re.IGNORECASE):
        return True
    weight = use.arguments["weight"]
    if weight is None or not isinstance(weight, cst.Attribute):
        return True
    assigned = [value for model in module.ancestry for _, _, value in model.assignments.get(weight.attr.value, ())]
    return not any(isinstance(value, cst.Call) and file.qualname(value.func) == "torch.nn.Parameter" for value in assigned)

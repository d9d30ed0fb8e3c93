"""Modules whose parameters are frozen, and whose batch normalisation still follows the batches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Event, Happens
from torchlint.values.gradients import switched
from torchlint.values.value import Kind, Value

_NORMALISED = re.compile(r"torchvision\.models\.(resnet|resnext|wide_resnet|densenet|mobilenet|efficientnet|regnet|mnasnet|shufflenet)")
_NORM = re.compile(r"torch\.nn\.(Sync)?BatchNorm(\dd)?$")


@dataclass
class FrozenNorm:
    frozen: Node
    """Where the parameters are frozen."""
    train: Event
    """Where the module is put into train mode after that."""


def frozen_norms(file: FileAnalysis) -> Iterator[FrozenNorm]:
    for node, module in _frozen(file):
        if module.kind is not Kind.MODULE or not _has_norm(module, set()):
            continue
        home = file.function(node)
        modes = [each for each in file.flow(home).events.values() if each.what in (Happens.TRAIN, Happens.EVAL)]
        after = [each for each in modes if each.site in file.tree.order and file.is_after(each.site, node)]
        trains = [each for each in after if each.what is Happens.TRAIN and each.target is module]
        parts = [each for each in after if each.what is Happens.EVAL and each.target is not module]
        if trains and not parts:  # else it may be the norms that are put into eval mode
            yield FrozenNorm(node, trains[0])


def _frozen(file: FileAnalysis) -> Iterator[tuple[Node, Value]]:
    """Where all parameters of a module are frozen, and the module."""
    for loop in file.nodes(cst.For):
        frozen, wants = switched(loop)
        if frozen is not None and not wants:
            yield loop, file.value(frozen)
    for call in file.methods("requires_grad_"):
        if isinstance(call.func, cst.Attribute) and call.args and literal(call.args[0].value) is False:
            yield call, file.value(call.func.value)


def _has_norm(module: Value, seen: set[ClassModel]) -> bool:
    """Whether a module surely holds batch normalisation: in its class, in its row of layers, or as a network of torchvision."""
    if isinstance(module.definition, ClassModel):
        if module.definition in seen:
            return False
        seen.add(module.definition)
        classes = [each for each in module.definition.ancestry if isinstance(each, ClassModel)]
        made = (each.file.value(node) for each in classes for node in descendants(each.node) if isinstance(node, cst.Call))
        return any(_has_norm(each, seen) for each in made if each.kind is Kind.MODULE)
    path = module.qualname or ""
    if path == "torch.nn.Sequential":
        return any(_has_norm(each, seen) for each in module.sources)
    return bool(_NORM.match(path) or _NORMALISED.match(path))

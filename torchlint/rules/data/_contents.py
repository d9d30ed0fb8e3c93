"""What lies behind a loader: samples in memory, Python objects, or something that works for each sample."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.classes import DATASET
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.data._loaders import ITERABLE, Loader, fetching, inherits, is_a
from torchlint.values.value import Kind, Value

_IN_MEMORY = ("torch.utils.data.TensorDataset", "torch.utils.data.StackDataset")
_READING = frozenset({"json.load", "json.loads", "pickle.load", "yaml.safe_load", "yaml.load"})
"""Functions that yield objects of Python, many of them."""


def is_in_memory(loader: Loader) -> bool:
    """Whether a sample is only looked up: workers would copy it from one process to another."""
    dataset = loader.given("dataset")
    return dataset is not None and any(_is_looked_up(each) for each in dataset.lineage())


def _is_looked_up(value: Value) -> bool:
    if value.kind in (Kind.TENSOR, Kind.LIST, Kind.NDARRAY) or value.qualname in _IN_MEMORY:
        return True
    if not isinstance(value.cls, ClassModel) or not inherits(value.cls, DATASET):
        return False
    functions = fetching(value.cls)
    return bool(functions) and not any(value.cls.file.inside(function, cst.Call) for function in functions)


def is_map_style(loader: Loader) -> bool:
    """Whether the dataset is known to have an index, so that it can be shuffled."""
    dataset = loader.given("dataset")
    if dataset is None or dataset.is_joined or is_a(dataset, ITERABLE):
        return False
    if isinstance(dataset.cls, ClassModel):
        return inherits(dataset.cls, DATASET) and dataset.cls.method("__getitem__") is not None
    name = dataset.qualname or ""
    return name in _IN_MEMORY or name.startswith("torchvision.datasets.")


def objects(file: FileAnalysis, loader: Loader) -> Iterator[tuple[str, cst.BaseExpression]]:
    """Attributes of the dataset that hold one object of Python per sample, and what fills them, where samples are read from them."""
    dataset = loader.given("dataset")
    model = dataset.cls if dataset is not None else None
    if not isinstance(model, ClassModel) or model.file is not file:
        return
    read = {each.attr.value for function in fetching(model) for each in file.inside(function, cst.Attribute)}
    for name, assigned in model.assignments.items():
        for _, _, value in assigned:
            if name in read and value is not None and _is_filled(file, model, name, value):
                yield name, value


def _is_filled(file: FileAnalysis, model: ClassModel, name: str, value: cst.BaseExpression) -> bool:
    if isinstance(value, (cst.ListComp, cst.DictComp)):
        return True
    if isinstance(value, cst.Call):
        func = value.func
        return file.qualname(func) in _READING or isinstance(func, cst.Attribute) and func.attr.value in ("tolist", "to_dict", "readlines")
    is_empty = isinstance(value, (cst.List, cst.Dict)) and not value.elements
    return is_empty and any(_adds(file, each) for each in file.attributes_inside(model.node, name))


def _adds(file: FileAnalysis, use: cst.Attribute) -> bool:
    """`self.x.append(…)` in a loop"""
    above = file.parent(use)
    grows = isinstance(above, cst.Attribute) and above.attr.value in ("append", "extend", "update")
    return grows and any(True for _ in file.tree.loops(use))

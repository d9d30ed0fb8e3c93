"""Where data loaders are made, and what each of their settings is, as far as that is certain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.classes import DATASET, LOADER, derives
from torchlint.facts.modules import LOADERS
from torchlint.facts.signatures import Parameter, signatures
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.literals import literal
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node
from torchlint.values.binding import Bound, bind
from torchlint.values.value import Value

ITERABLE = "torch.utils.data.IterableDataset"
PIPE = "torch.utils.data.IterDataPipe"
_FETCHING = ("__getitem__", "__getitems__")
_SHARED = 3
"""Parameters that the loaders of other libraries have at the same places: dataset, batch size, shuffle."""


def _parameters() -> tuple[Parameter, ...]:
    """Those of torch's own loader. Asked for when there is one: a file without any does not wait for the table."""
    return signatures(LOADER)[0].parameters


@dataclass(frozen=True, eq=False)
class Loader:
    """One construction of a loader: `DataLoader(…)`, the same of a subclass, or what a subclass hands to `super().__init__`."""

    file: FileAnalysis
    call: cst.Call
    bound: Bound
    is_torch: bool
    """Whether torch's own constructor gets the arguments as they are."""

    def __getitem__(self, name: str) -> cst.BaseExpression | None:
        return self.bound[name]

    def setting(self, name: str) -> object:
        """What an argument is, spelt out here or where a name gets it once and for all, or by default; `...` where that is not known."""
        given = self.bound[name]
        if given is not None:
            return constant(self.file, given)
        if self.bound.is_spread or not self.is_torch:
            return ...
        return next(each for each in _parameters() if each.name == name).default

    def given(self, name: str) -> Value | None:
        """What is known of an argument."""
        given = self.bound[name]
        return self.file.value(given) if given is not None else None

    @cached_property
    def is_iterable(self) -> bool:
        """Whether the dataset is known to be one that is only iterated over."""
        dataset = self.given("dataset")
        return dataset is not None and not dataset.is_joined and is_a(dataset, ITERABLE) and not is_a(dataset, PIPE)

    @property
    def is_expected_to_fail(self) -> bool:
        """Whether an exception is caught around it: somebody tries out what raises."""
        child: Node = self.call
        for each in self.file.ancestors(self.call):
            if isinstance(each, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
                return False
            if isinstance(each, cst.Try) and child is each.body:
                return True
            if isinstance(each, cst.With) and any("raises" in self.file.source(item.item).lower() for item in each.items):
                return True
            child = each
        return False


def loaders(file: FileAnalysis) -> list[Loader]:
    """Every loader that the file makes, in document order."""
    return file.once(_loaders)


def _loaders(file: FileAnalysis) -> list[Loader]:
    found = []
    for call in file.nodes(cst.Call):
        path = file.qualname(call.func)
        if path in LOADERS:
            found.append(Loader(file, call, _bound(call, shared=path != LOADER), path == LOADER))
        elif _is_plain_subclass(file, call) or _is_super(file, call):
            found.append(Loader(file, call, _bound(call, shared=False), is_torch=True))
    return found


def _bound(call: cst.Call, *, shared: bool) -> Bound:
    """The arguments by torch's names; of other libraries' loaders those places alone that are the same."""
    bound = bind(call, _parameters())
    if shared and sum(arg.keyword is None for arg in call.args) > _SHARED:
        keywords = {arg.keyword.value for arg in call.args if arg.keyword is not None}
        same = {each.name for each in _parameters()[:_SHARED]} | keywords
        given = {name: value for name, value in bound.given.items() if name in same}
        return Bound(call, given, bound.extra, is_spread=True, fits=bound.fits)
    return bound


def _is_plain_subclass(file: FileAnalysis, call: cst.Call) -> bool:
    """A class of the project that inherits from torch's loader, and its constructor as well."""
    if not isinstance(call.func, (cst.Name, cst.Attribute)):
        return False
    owner = file.class_of(call.func)
    return owner is not None and LOADER in owner.imported_bases and owner.method("__init__") is None and owner.method("__new__") is None


def _is_super(file: FileAnalysis, call: cst.Call) -> bool:
    func = call.func
    if not isinstance(func, cst.Attribute) or func.attr.value != "__init__" or not isinstance(func.value, cst.Call):
        return False
    if not isinstance(func.value.func, cst.Name) or func.value.func.value != "super":
        return False
    owner = file.owner(file.function(call))
    return owner is not None and owner.base_names == (LOADER,)


def constant(file: FileAnalysis, node: Node) -> object:
    """The literal that an expression is, or that a name gets once and for all; `...` for anything else."""
    if isinstance(node, cst.Name):
        binding = file.names.definition(node)
        if binding is not None and binding.how is Binds.ASSIGN and binding.value is not None:
            return literal(binding.value)
    return literal(node)


def is_a(value: Value, base: str) -> bool:
    """Whether a value is an instance of a class that inherits from one of torch's."""
    if isinstance(value.cls, ClassModel):
        return inherits(value.cls, base)
    return value.qualname is not None and derives(value.qualname, base)


def inherits(model: ClassModel, base: str) -> bool:
    return any(derives(name, base) for name in model.imported_bases)


def datasets(file: FileAnalysis) -> Iterator[ClassModel]:
    """The classes of the file whose instances are datasets with an index."""
    for model in file.classes():
        if inherits(model, DATASET) and not inherits(model, ITERABLE):
            yield model


def fetching(model: ClassModel) -> list[cst.FunctionDef]:
    """The methods that fetch a sample, and those of the object that they call."""
    waiting, found = list(_FETCHING), []
    while waiting:
        method = model.method(waiting.pop(0))
        if method is None or method.file is not model.file or not isinstance(method.node, cst.FunctionDef) or method.node in found:
            continue
        found.append(method.node)
        for call in method.file.inside(method.node, cst.Call):
            func = call.func
            if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name) and func.value.value == "self":
                waiting.append(func.attr.value)
    return found

"""A class of the project: its bases, its methods (inherited ones too), what its attributes hold, and what kind of thing it makes."""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from torchlint.facts import modules as known
from torchlint.facts.classes import MODULE, PARAMETER, derives
from torchlint.facts.tensors import LIBRARIES_OF_MODELS
from torchlint.syntax.tree import descendants
from torchlint.values.flow import Analysis
from torchlint.values.instances import is_module_class, kind_of_instance
from torchlint.values.value import Assigned, ClassDefinition, Function, Kind, Value, join

_ROOTS = frozenset({"object", "ABC", "Protocol", "Generic", "Enum", "NamedTuple"})
_ABSTRACT = frozenset({"abc", "typing", "enum"})
_INHERITED = frozenset({Kind.DATASET, Kind.LOADER, Kind.SCHEDULER, Kind.OPTIMIZER})


def attribute_assignments(file: Analysis) -> dict[cst.ClassDef, dict[str, list[Assigned]]]:
    """Every `self.x = …` of the file, by class and attribute, in document order."""
    found: dict[cst.ClassDef, dict[str, list[Assigned]]] = {}
    statements: list[cst.Assign | cst.AnnAssign] = [*file.nodes(cst.Assign), *file.nodes(cst.AnnAssign)]
    for statement in statements:
        targets = [each.target for each in statement.targets] if isinstance(statement, cst.Assign) else [statement.target]
        for target in targets:
            if isinstance(target, cst.Attribute):
                _note(file, found, target, statement.value)
            elif isinstance(target, (cst.Tuple, cst.List)):
                for element in target.elements:
                    if isinstance(element.value, cst.Attribute):
                        _note(file, found, element.value, None)
    return found


def _note(
    file: Analysis, found: dict[cst.ClassDef, dict[str, list[Assigned]]], target: cst.Attribute, value: cst.BaseExpression | None
) -> None:
    if not isinstance(target.value, cst.Name):
        return
    method = file.function(target)
    owner = file.owner(method)
    if owner is None or not isinstance(method, cst.FunctionDef):
        return
    first = next(iter((*method.params.posonly_params, *method.params.params)), None)
    if first is not None and first.name.value == target.value.value:
        found.setdefault(owner.node, {}).setdefault(target.attr.value, []).append((method, target, value))


class ClassModel(ClassDefinition):
    """One class definition, read in its file."""

    def __init__(self, file: Analysis, node: cst.ClassDef) -> None:
        self.file = file
        self.node = node
        self.name = node.name.value
        self._attributes: dict[str, Value] = {}
        self._resolving: set[str] = set()

    def release(self) -> None:
        """Let go of what leads back to this class: itself among its ancestry, and attributes that hold what it makes."""
        self._attributes.clear()
        for name in ("bases", "ancestry"):
            self.__dict__.pop(name, None)

    # -- bases ----------------------------------------------------------------------------------------------------------

    @cached_property
    def base_names(self) -> tuple[str | None, ...]:
        """The dotted names of the imported bases; None for a base that is not imported."""
        return tuple(self.file.qualname(base.value) for base in self.node.bases)

    @cached_property
    def bases(self) -> tuple[ClassModel, ...]:
        """The bases that the project defines."""
        found = []
        for base in self.node.bases:
            model = self.file.class_of(base.value)
            if isinstance(model, ClassModel) and model is not self:
                found.append(model)
        return tuple(found)

    @cached_property
    def ancestry(self) -> tuple[ClassModel, ...]:
        """This class and the project's classes that it inherits from, nearest first."""
        found: list[ClassModel] = []
        queue = [self]
        while queue:
            model = queue.pop(0)
            if model not in found:
                found.append(model)
                queue.extend(model.bases)
        return tuple(found)

    @cached_property
    def imported_bases(self) -> frozenset[str]:
        """The dotted names of all bases outside the project, inherited ones included."""
        return frozenset(name for model in self.ancestry for name in model.base_names if name is not None)

    @cached_property
    def is_module(self) -> bool:
        """Whether instances are `torch.nn.Module`s."""
        return any(is_module_class(name) for name in self.imported_bases)

    @cached_property
    def is_managed(self) -> bool:
        """Whether a framework calls the methods: it clears, steps and switches gradients by itself."""
        loops = known.MANAGED_LOOPS | frozenset(self.file.settings.managed_loops)
        return any(name in known.MANAGED_MODULES or name in loops for name in self.imported_bases)

    @cached_property
    def is_open(self) -> bool:
        """Whether a base is unknown, so that methods and attributes may come from somewhere unseen."""
        for model in self.ancestry:
            for base, name in zip(model.node.bases, model.base_names, strict=True):
                if name is not None and _is_closed(name):
                    continue
                if self.file.class_of(base.value) is not None and name is None:
                    continue
                if name is None and isinstance(base.value, cst.Name) and base.value.value in _ROOTS:
                    continue
                if any(each.name == (name or "").rpartition(".")[2] for each in model.bases):
                    continue
                return True
        return False

    @cached_property
    def instance_kind(self) -> Kind:
        """What an instance is, for a class that is no module."""
        for name in self.imported_bases:
            kind = kind_of_instance(name)
            if kind in _INHERITED:
                return kind
        return Kind.OBJECT

    # -- methods --------------------------------------------------------------------------------------------------------

    @cached_property
    def own_methods(self) -> dict[str, cst.FunctionDef]:
        return {each.name.value: each for each in self.node.body.body if isinstance(each, cst.FunctionDef)}

    def method(self, name: str) -> Function | None:
        """The method of that name and the file it stands in, inherited ones included."""
        for model in self.ancestry:
            found = model.own_methods.get(name)
            if found is not None:
                return Function(model.file, found)
        return None

    # -- attributes -----------------------------------------------------------------------------------------------------

    @property
    def assignments(self) -> dict[str, list[Assigned]]:
        """For each attribute set on `self`: where, in which method, and to what."""
        return self.file.attribute_assignments.get(self.node, {})

    def assigns(self, name: str) -> bool:
        """Whether the class or a base in the project sets this attribute on its instances."""
        return any(name in model.assignments for model in self.ancestry)

    def attribute(self, name: str) -> Value | None:
        """What the attribute holds: the assignment in `__init__`, joined with those of other methods."""
        if name in self._attributes:
            return self._attributes[name]
        if name in self._resolving:
            return None
        self._resolving.add(name)
        try:
            value = self._resolve(name)
        finally:
            self._resolving.discard(name)
        if value is not None:
            self._attributes[name] = value
        return value

    def _resolve(self, name: str) -> Value | None:
        found: Value | None = None
        for model in self.ancestry:
            for method, target, _ in model.assignments.get(name, ()):
                flow = model.file.flow_or_none(method)
                value = flow.values.get(target) if flow is not None else None
                if value is None:
                    continue
                found = value if found is None else join(found, value)
            if found is not None:
                return found
        return None

    @cached_property
    def has_weights(self) -> bool:
        """Whether a module holds parameters of its own or modules that do; unknown modules count as weighted."""
        for model in self.ancestry:
            for name in model.assignments:
                for _, _, value in model.assignments[name]:
                    if value is None or self._carries_weights(model, value):
                        return True
        return bool(self.imported_bases - {MODULE})

    def _carries_weights(self, model: ClassModel, value: cst.BaseExpression) -> bool:
        for node in descendants(value):
            if isinstance(node, cst.Call):
                path = model.file.qualname(node.func)
                if path is None:
                    owner = model.file.class_of(node.func)
                    if owner is not None and owner is not self and owner.is_module and owner.has_weights:
                        return True
                elif derives(path, PARAMETER) or path.startswith(LIBRARIES_OF_MODELS):
                    return True
                elif kind_of_instance(path) is Kind.MODULE and path not in known.WEIGHTLESS_MODULES and path not in known.LOSS_MODULES:
                    return True
        return False


def _is_closed(name: str) -> bool:
    """Whether a base is known well enough to say that methods of other names come from nowhere else."""
    return name.partition(".")[0] in _ABSTRACT or kind_of_instance(name) is Kind.MODULE and name.partition(".")[0] == "torch"

"""Parameters in plain Python containers, where the module that owns them cannot see them.

The containers, their uses and what stands in the way of a registering one are those of `torchlint.rules.modules._containers` and
`torchlint.rules.modules._wrapping`; here is what makes their elements parameters, and what registers them.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._containers import Appearances, HeldModules
from torchlint.rules.modules._elements import Element, Holds, container_shape
from torchlint.rules.modules._filling import method_on
from torchlint.rules.modules._wrapping import obstacle_of
from torchlint.syntax.tree import Node

PARAMETER = "torch.nn.Parameter"
_REGISTERING = frozenset({"register_parameter", "register_buffer", "add_module", "setattr", "_parameters"})
_CONTAINERS = frozenset({"torch.nn.ParameterList", "torch.nn.ParameterDict"})
_REFUSED = frozenset({"insert", "pop"})
"""What a list can do and an `nn.ParameterList` cannot, beside what an `nn.ModuleList` cannot do either."""


class HeldParameters(HeldModules):
    """An attribute of a module class that holds parameters in a Python container."""

    def takes(self, elements: list[Element]) -> bool:
        return all(each.node is not None and makes_parameter(self.file, each.node) for each in elements)

    @property
    def is_handed_on(self) -> bool:
        """Whether the class registers parameters by name, or gives these to a container of torch."""
        file = self.file
        for model in self.owner.ancestry:
            for name in _REGISTERING:
                if model.file.attributes_inside(model.node, name):
                    return True
                if model.file.tree.within(model.file.tree.names.get(name, ()), model.node):
                    return True
        calls = (call for node in self.appearances for call in file.ancestors(node) if isinstance(call, cst.Call))
        return any(file.qualname(call.func) in _CONTAINERS for call in calls)

    @property
    def obstacle(self) -> str | None:
        """Why a registering container cannot take the place of the Python one, or None."""
        if self.stores[0].shape == "list" and any(method_on(self.file, node) in _REFUSED for node in self.uses):
            return "`nn.ParameterList` lacks a method that is used"
        return obstacle_of(self)


def makes_parameter(file: FileAnalysis, node: Node) -> bool:
    """Whether an expression is a parameter made here: the call itself, or a name that stands for one."""
    if isinstance(node, cst.Call):
        return file.qualname(node.func) == PARAMETER
    if isinstance(node, cst.Name):
        made = [binding.value for binding in file.names.bindings(node)]
        return bool(made) and all(isinstance(each, cst.Call) and file.qualname(each.func) == PARAMETER for each in made)
    return False


def held_parameters(file: FileAnalysis) -> Iterator[HeldParameters]:
    """The attributes of module classes whose Python containers hold parameters that nothing registers."""
    found: dict[str, Appearances] = {}
    for owner in file.classes():
        for name in _containers(file, owner) if owner.is_module else ():
            if name not in found:
                found[name] = Appearances(file, name)
            held = HeldParameters(file, owner, name, found[name])
            elements = held.elements
            if not held.stores or not any(each.node is not None and makes_parameter(file, each.node) for each in elements):
                continue
            if any(each.holds is Holds.REGISTERED for each in elements) or held.is_registered or held.is_handed_on:
                continue
            yield held


def _containers(file: FileAnalysis, owner: ClassModel) -> list[str]:
    return [
        name
        for name, assigned in owner.assignments.items()
        if any(value is not None and container_shape(file, value) for _, _, value in assigned)
    ]

"""What the names in a file show without its values: which functions lead to a backward or call a module, where torch is named.

Necessary, never sufficient: a function that handles no graphs has neither a backward in reach nor a call of anything known to be a module.
"""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from torchlint.facts.modules import PREPARED_FOR_A_DEVICE
from torchlint.facts.tensors import MODULE_EVIDENCE
from torchlint.program import callers
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node
from torchlint.values import namesakes
from torchlint.values.flow import Analysis
from torchlint.values.instances import kind_of_instance
from torchlint.values.parameters import sketch
from torchlint.values.references import BUILTINS
from torchlint.values.value import Kind

_BACKWARD = ("backward", "manual_backward")
_MOVES = ("to", "cuda")
_DEPTH = 3


class Relevance:
    """Which functions of one file may handle graphs."""

    def __init__(self, file: Analysis) -> None:
        self._file = file
        self._calling_modules: dict[Node, bool] = {}

    def handles_graphs(self, function: Node) -> bool:
        """Whether backward runs in the function or in something it calls, or it calls a module."""
        if function in self._leading[0]:
            return True
        known = self._calling_modules.get(function)
        if known is None:
            known = self._calling_modules[function] = self._calls_module(function)
        return known

    def reaches_backward(self, function: Node) -> bool:
        """Whether backward runs in the function or in something it calls."""
        return function in self._leading[0]

    def may_be_hot(self, loop: Node) -> bool:
        """Whether a loop holds a backward, a call that leads to one, or a move to a device; or iterates over what was prepared for one."""
        return loop in self._warm or any(self._file.tree.attributes.get(name) for name in PREPARED_FOR_A_DEVICE)

    @cached_property
    def _warm(self) -> set[Node]:
        """The loops around what leads to a backward, and around moves."""
        tree = self._file.tree
        moves = (each for name in _MOVES for each in tree.attributes.get(name, ()))
        sites = (site for site in self._leading[1] if site in tree.order)
        return {each for site in (*sites, *moves) for each in tree.ancestors(site) if isinstance(each, (cst.For, cst.While))}

    def touches_torch(self, function: Node) -> bool:
        """Whether a function's own code, or an annotation of its parameters, names anything that comes from torch."""
        return function in self._touching

    @cached_property
    def _touching(self) -> set[Node]:
        file, found = self._file, set[Node]()
        for name, bindings in file.names.module.bindings.items():
            if any((binding.path or "").partition(".")[0] == "torch" for binding in bindings):
                for each in file.tree.names.get(name, ()):
                    found.add(file.function(each))
                    found.update(above for above in file.ancestors(each) if isinstance(above, cst.FunctionDef))
        return found

    @cached_property
    def _leading(self) -> tuple[set[Node], list[Node]]:
        """The functions that lead to a backward, those around them included; and every backward, call or mention on the way."""
        file = self._file
        queue: list[Node] = [attribute for name in _BACKWARD for attribute in file.tree.attributes.get(name, ())]
        queue += [name for statement in file.nodes(cst.ImportFrom) for name in self._imported_steps(statement)]
        queue += self._steps_of_modules()
        reached: set[Node] = set()
        sites: list[Node] = []
        spread: set[str] = set()
        while queue:
            node = queue.pop()
            sites.append(node)
            inner = file.function(node)
            for function in (inner, *(each for each in file.ancestors(inner) if isinstance(each, (cst.FunctionDef, cst.Lambda)))):
                if function not in reached:
                    reached.add(function)
                    if isinstance(function, cst.FunctionDef):
                        name, known = function.name.value, function.name.value in spread and file.owner(function) is not None
                        queue.extend(callers.mentions(file, function, elsewhere=not known))
                        spread.add(name)
        return reached, sites

    def _imported_steps(self, statement: cst.ImportFrom) -> list[Node]:
        """The uses of functions from other files of the project that run backward."""
        file = self._file
        if isinstance(statement.names, cst.ImportStar):
            return []
        found: list[Node] = []
        for alias in statement.names:
            bound = alias.asname.name if alias.asname is not None else alias.name
            if isinstance(bound, cst.Name):
                path = file.names.module.bindings.get(bound.value, ())
                if len(path) == 1 and path[0].path is not None and file.imports_training(path[0].path):
                    found += file.tree.names.get(bound.value, ())
        return found

    def _steps_of_modules(self) -> list[Node]:
        """The calls `helpers.step(…)`, or `step(…)` behind `import *`, of functions that run backward in another file of the project."""
        file = self._file
        found: list[Node] = []
        for star in file.names.stars:
            called = {each.func.value for each in file.nodes(cst.Call) if isinstance(each.func, cst.Name)}
            for name in sorted(name for name in called if name not in file.names.module.bindings and name not in BUILTINS):
                if file.imports_training(star + name if star.endswith(".") else f"{star}.{name}"):
                    found += file.tree.names.get(name, ())
        for name, bindings in file.names.module.bindings.items():
            base = bindings[0].path if len(bindings) == 1 and bindings[0].how is Binds.IMPORT else None
            if base is None or base.partition(".")[0] in ("torch", "numpy"):
                continue
            known: dict[str, bool] = {}
            for each in file.tree.names.get(name, ()):
                above = file.parent(each)
                if isinstance(above, cst.Attribute) and isinstance(file.parent(above), cst.Call):
                    asked = above.attr.value
                    if asked not in known:
                        known[asked] = file.imports_training(base + asked if base.endswith(".") else f"{base}.{asked}")
                    if known[asked]:
                        found.append(above)
        return found

    def _calls_module(self, function: Node) -> bool:
        file = self._file
        for call in self._calls.get(function, ()):
            func = call.func
            if isinstance(func, cst.Attribute):
                if isinstance(func.value, cst.Name) and func.value.value == "self" and func.attr.value in self._evident_attributes:
                    return True
                if isinstance(func.value, cst.Name) and func.attr.value == "forward" and self._is_module(func.value):
                    return True
            elif isinstance(func, cst.Name) and self._is_module(func):
                return True
            elif isinstance(func, cst.Call) and kind_of_instance(file.qualname(func.func) or "") is Kind.MODULE:
                return True
        return False

    def _is_module(self, name: cst.Name) -> bool:
        file = self._file
        if name.value in self._evident_names:
            return True
        for binding in file.names.bindings(name):
            if binding.how is Binds.PARAMETER:
                parameter = file.parent(binding.node)
                function = file.function(parameter) if parameter is not None else None
                if isinstance(parameter, cst.Param) and parameter.annotation is not None:
                    return True
                if isinstance(function, cst.FunctionDef) and (
                    file.methods_called_on(function, name.value) & MODULE_EVIDENCE or namesakes.module(file, function, name.value, sketch)
                ):
                    return True
        found = sketch(file, name, _DEPTH)
        return found is not None and found.kind is Kind.MODULE

    @cached_property
    def _calls(self) -> dict[Node, list[cst.Call]]:
        found: dict[Node, list[cst.Call]] = {}
        for call in self._file.nodes(cst.Call):
            if not isinstance(call.func, cst.Attribute) or isinstance(call.func.value, cst.Name):
                found.setdefault(self._file.function(call), []).append(call)
        return found

    @cached_property
    def _evident_attributes(self) -> set[str]:
        """The attributes `self.x` that are used as modules somewhere: `self.x.eval()`."""
        return {each.attr.value for each in self._evident if isinstance(each, cst.Attribute)}

    @cached_property
    def _evident_names(self) -> set[str]:
        """The names that are used as modules somewhere: `net.eval()`, of a `net` that was read from a file."""
        return {each.value for each in self._evident if isinstance(each, cst.Name)}

    @cached_property
    def _evident(self) -> list[cst.BaseExpression]:
        return [attribute.value for method in MODULE_EVIDENCE for attribute in self._file.tree.attributes.get(method, ())]

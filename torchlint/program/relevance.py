"""Which functions lead to a backward, in whatever file it stands, and which loops and functions torch is named in.

Necessary, never sufficient: read off the names of calls, not off values.
"""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from torchlint.facts.modules import PREPARED_FOR_A_DEVICE
from torchlint.program import callers
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node
from torchlint.values.flow import Analysis
from torchlint.values.references import BUILTINS

_BACKWARD = ("backward", "manual_backward")
_MOVES = ("to", "cuda")


class Relevance:
    """What the functions of one file have to do with torch, as far as names show it."""

    def __init__(self, file: Analysis) -> None:
        self._file = file

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

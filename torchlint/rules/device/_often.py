"""How often a line is run: once in the life of a process or of an object, or again and again; and whether once is lost beside the rest.

Where the callers are not known to the last one, neither is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

import libcst as cst

from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.device._hot import HotLoops, last_name
from torchlint.rules.device._passes import has_passes, is_beside_loops, is_once_per_epoch
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import COMPREHENSIONS, Node, runs_once
from torchlint.values.value import Function, Kind

_TRAINING = frozenset({"backward", "step", "zero_grad", "train"})
_SHOWING = frozenset("print pprint set_trace breakpoint summary info debug".split())
_WITHIN = frozenset("eval train to cuda cpu requires_grad_ backward manual_seed zero_".split())
"""What is called for its effect on what the function itself has made, or was given to try."""
_FAR = 3
"""Through how many calls the work of a program is followed."""


class Often(Enum):
    """How many times a line is run."""

    ONCE = "once"
    """As often as somebody starts the program or makes the object; a few lines that call a function once each count as one."""
    MANY = "many"
    UNKNOWN = "unknown"


class Runs:
    """How often the lines of one file are run."""

    def __init__(self, file: FileAnalysis) -> None:
        self.file = file
        self._functions: dict[cst.FunctionDef, Often] = {}
        self._hot = HotLoops(file)
        self._working: dict[Node, bool] = {}

    def how_often(self, node: Node) -> Often:
        """How often a node is evaluated, as far as its callers are in sight."""
        if is_repeated(self.file, node):
            return Often.MANY
        function = self.file.function(node)
        if function is self.file.module:
            return Often.ONCE
        if not isinstance(function, cst.FunctionDef):
            return Often.UNKNOWN
        if function not in self._functions:
            self._functions[function] = Often.MANY  # a function that calls itself
            self._functions[function] = self._calls_of(function)
        return self._functions[function]

    def is_lost(self, node: Node) -> bool:
        """Whether a node is nothing beside what the same program does before the node's turn comes again."""
        function = self.file.function(node)
        if isinstance(function, cst.FunctionDef) and function.name.value == "__init__" and self._calls_of(function) is Often.ONCE:
            return True  # for each parameter, say, of what is there to last
        if self.how_often(node) is Often.ONCE and (is_demonstration(self.file, node) or any(map(self._works, _scopes(self.file, node)))):
            return True
        return self._is_beside_passes(node, _FAR)

    def _is_beside_passes(self, node: Node, far: int) -> bool:
        """Whether passes through a network go on and on, or an epoch goes by, between one turn of the node and the next."""
        loop = next((each for each in self.file.tree.loops(node) if not runs_once(each)), None)
        if loop is not None:
            return self._hot.around(node) is not loop and (is_beside_loops(self.file, node) or has_passes(self.file, loop, node))
        function = self.file.function(node)
        if not isinstance(function, cst.FunctionDef) or is_repeated(self.file, node) or function.name.value in ("__init__", "forward"):
            return False
        sites = list(_sites(self.file, function))
        if any(_is_forward(self.file, self.file.function(each)) for each in sites):
            return False
        goes_on = has_passes(self.file, function, node)
        if self.how_often(node) is not Often.MANY:
            return goes_on
        return far > 0 and all(
            self.how_often(each) is Often.ONCE or goes_on and is_once_per_epoch(self.file, each) or self._is_beside_passes(each, far - 1)
            for each in sites
        )

    def is_shown(self, node: Node) -> bool:
        """Whether what a function computes is printed or looked at in a debugger, and nothing else is left of it."""
        function = self.file.function(node)
        return isinstance(function, cst.FunctionDef) and _only_shows(self.file, function) and self.how_often(node) is not Often.MANY

    def _works(self, scope: Node) -> bool:
        if scope not in self._working:
            is_made = isinstance(scope, cst.FunctionDef) and scope.name.value == "__init__"
            self._working[scope] = is_made or _works(self.file, scope, _FAR, set())
        return self._working[scope]

    def _calls_of(self, function: cst.FunctionDef) -> Often:
        owner, name = self.file.owner(function), function.name.value
        if name == "__init__" and owner is not None:
            return _objects(self.file, owner)
        if name.startswith("__") or name == "forward" or function.asynchronous is not None:
            return Often.UNKNOWN
        sites = list(_sites(self.file, function))
        if not sites or any(not isinstance(each, cst.Call) for each in sites) or _is_reached_elsewhere(self.file, name):
            return Often.UNKNOWN
        found = {self.how_often(each) for each in sites}
        return next((each for each in (Often.MANY, Often.UNKNOWN) if each in found), Often.ONCE)


def is_demonstration(file: FileAnalysis, node: Node) -> bool:
    """Whether a node runs once under `if __name__ == "__main__":`, in a file that is there for what it defines."""
    if file.function(node) is not file.module or is_repeated(file, node):
        return False
    guarded = any(isinstance(each, cst.If) and _asks_for_main(each.test) for each in file.ancestors(node))
    return guarded and any(file.parent(each) is file.module for kind in (cst.FunctionDef, cst.ClassDef) for each in file.nodes(kind))


def _only_shows(file: FileAnalysis, function: cst.FunctionDef) -> bool:
    """Whether a function keeps and returns nothing, and all that it does besides is done to what it has made, or was given to try."""
    if any(each.value is not None for each in file.inside(function, cst.Return)):
        return False
    if any(file.inside(function, kind) for kind in (cst.Yield, cst.Global, cst.Nonlocal)):
        return False
    if any(not isinstance(each.target, (cst.Name, cst.Tuple)) for each in file.inside(function, cst.AssignTarget)):
        return False
    done = [last_name(each.value.func) if isinstance(each.value, cst.Call) else "" for each in file.inside(function, cst.Expr)]
    shown = bool(file.inside(function, cst.Assert)) or not _SHOWING.isdisjoint(done)
    return shown and all(name in _SHOWING | _WITHIN for name in done if name)


def is_repeated(file: FileAnalysis, node: Node) -> bool:
    """Whether a loop or comprehension of the same function goes through a node more than once."""
    if any(not runs_once(loop) for loop in file.tree.loops(node)):
        return True
    child = node
    for each in file.ancestors(node):
        if isinstance(each, COMPREHENSIONS) and child is not each.for_in:
            return True
        if isinstance(each, (cst.BaseCompoundStatement, cst.Lambda)):
            break
        child = each
    return False


def _asks_for_main(test: Node) -> bool:
    """`__name__ == "__main__"`"""
    return (
        isinstance(test, cst.Comparison)
        and isinstance(test.left, cst.Name)
        and test.left.value == "__name__"
        and literal(test.comparisons[0].comparator) == "__main__"
    )


# -- callers ------------------------------------------------------------------------------------------------------------


def _sites(file: FileAnalysis, function: cst.FunctionDef) -> Iterator[Node]:
    """Where a function or method is called; and where it is named without being called, to be called by somebody else."""
    name = function.name.value
    if file.owner(function) is not None:
        yield from callers.calls(file, function)
        for each in file.tree.attributes.get(name, ()):
            above = file.parent(each)
            if not (isinstance(above, cst.Call) and above.func is each):
                yield each
        return
    for use in file.tree.names.get(name, ()):
        binding = file.names.definition(use)
        above = file.parent(use)
        if above is not function and binding is not None and binding.node is function:
            yield above if isinstance(above, cst.Call) and above.func is use else use


def _is_reached_elsewhere(file: FileAnalysis, name: str) -> bool:
    """Whether another file of the run may call it: imported by name, or as an attribute of whatever."""
    return file.is_written_elsewhere(re.compile(rf"\.{name}\b|\bimport\b[^\n(]*\b{name}\b|\bimport\s*\([^)]*\b{name}\b"))


def _objects(file: FileAnalysis, owner: ClassModel) -> Often:
    """How often an object is made, beside what is then done with it: modules, and whatever works on in its methods, are there to last."""
    made = [
        call
        for use in file.tree.names.get(owner.name, ())
        if isinstance(call := file.parent(use), cst.Call) and call.func is use and file.class_of(use) is owner
    ]
    if owner.is_module:
        return Often.MANY if any(_is_forward(file, file.function(call)) for call in made) else Often.ONCE
    if any(is_repeated(file, call) for call in made):
        return Often.MANY
    begun = {call.func.attr.value for call in file.inside(owner.own_methods["__init__"], cst.Call) if isinstance(call.func, cst.Attribute)}
    later = [
        (model.file, method)
        for model in owner.ancestry
        for name, method in model.own_methods.items()
        if name not in begun and name != "__init__" and isinstance(model.file, FileAnalysis)
    ]
    return (
        Often.ONCE
        if any(where.relevance.touches_torch(method) or _works(where, method, 1, set()) for where, method in later)
        else Often.UNKNOWN
    )


def _is_forward(file: FileAnalysis, function: Node) -> bool:
    return isinstance(function, cst.FunctionDef) and function.name.value == "forward" and file.owner(function) is not None


# -- work ---------------------------------------------------------------------------------------------------------------


def _scopes(file: FileAnalysis, node: Node) -> Iterator[Node]:
    """The function that runs a node, and those that call it, on the way out."""
    queue, seen = [file.function(node)], set[Node]()
    for function in queue:
        if function not in seen:
            seen.add(function)
            yield function
            if isinstance(function, cst.FunctionDef):
                queue += [file.function(each) for each in _sites(file, function)]


def _works(file: FileAnalysis, scope: Node, far: int, seen: set[Node]) -> bool:
    """Whether a function, or one that it calls, goes round in a loop in which torch computes."""
    if scope in seen:
        return False
    seen.add(scope)
    calls = file.inside(scope, cst.Call) if scope is not file.module else file.nodes(cst.Call)
    own = [call for call in calls if file.function(call) is scope]
    if any(_computes(file, call) for call in own if is_repeated(file, call)):
        return True
    return far > 0 and any(_leads_to_work(file, call, far - 1, seen) for call in own)


def _computes(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a call trains, runs a module, or is one of torch's functions, or of the project's that use torch."""
    path = file.qualname(call.func)
    if path is not None and (path.startswith("torch.") or file.imports_training(path)):
        return True
    if last_name(call.func) in _TRAINING:
        return True
    called = file.value(call.func)
    return called.kind is Kind.MODULE or _uses_torch(called.definition)


def _uses_torch(definition: object) -> bool:
    return (
        isinstance(definition, Function)
        and isinstance(definition.file, FileAnalysis)
        and definition.file.relevance.touches_torch(definition.node)
    )


def _leads_to_work(file: FileAnalysis, call: cst.Call, far: int, seen: set[Node]) -> bool:
    path = file.qualname(call.func)
    if path is not None and file.imports_training(path):
        return True
    definition = file.value(call.func).definition
    return (
        isinstance(definition, Function)
        and isinstance(definition.file, FileAnalysis)
        and _works(definition.file, definition.node, far, seen)
    )

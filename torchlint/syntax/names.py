"""What a name refers to: scopes and bindings by Python's rules, and qualified names through every form of import.

Answers with one dotted name or nothing: where bindings disagree, nothing is known. What a value *is* is left to the flow model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import libcst as cst

from torchlint.facts.names import canonical
from torchlint.syntax.tree import COMPREHENSIONS, Node, Tree


class Binds(Enum):
    """How a name is bound."""

    IMPORT = "import"
    ASSIGN = "assignment"
    TARGET = "target"
    """A loop, `with`, `except`, `del`, unpacking or match target: bound, but not to one visible expression."""
    PARAMETER = "parameter"
    FUNCTION = "function"
    CLASS = "class"


@dataclass(slots=True)
class Binding:
    how: Binds
    node: Node
    """The bound `Name` (for imports the alias, for functions and classes the definition)."""
    value: cst.BaseExpression | None = None
    """The assigned expression, where one name is given one expression."""
    path: str | None = None
    """For imports: the dotted path; leading dots stand for a relative import."""


@dataclass(slots=True, eq=False)
class Scope:
    node: Node
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    outer: dict[str, bool] = field(default_factory=dict)
    """Names declared `global` (True) or `nonlocal` (False)."""
    imports: dict[str, None] = field(default_factory=dict)
    """The names that an import binds here, in their order."""

    def bind(self, name: str, binding: Binding) -> None:
        scope = self
        declared = self.outer.get(name)
        if declared is not None:
            scope = self._module() if declared else (self.parent or self)
        scope.bindings.setdefault(name, []).append(binding)
        if binding.how is Binds.IMPORT:
            scope.imports[name] = None

    def lookup(self, name: str) -> Scope | None:
        """The scope in which a name used here is bound; class scopes are visible only from their own body."""
        if self.outer.get(name):
            module = self._module()
            return module if name in module.bindings else None
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bindings and (scope is self or not isinstance(scope.node, cst.ClassDef)):
                return scope
            scope = scope.parent
        return None

    def _module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


_UNASKED = "?"


class Names:
    """The scopes of one file."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.module = Scope(tree.module, None)
        self._scopes: dict[Node, Scope] = {tree.module: self.module}
        self._blocks: dict[Node, Scope] = {}
        self._asked: dict[Node, Scope] = {}
        """The scopes of names that were asked about."""
        self._qualified: dict[Node, str | None] = {}
        self._bound: dict[tuple[Scope, str], list[Node]] = {}
        self._references: dict[str, dict[Scope | None, list[cst.Name]]] = {}
        self.stars: list[str] = []
        """The modules of which everything is imported: names that nothing binds may come from them."""
        self._declare()
        self._bind_definitions()
        self._bind_imports()
        self._bind_targets()

    # -- scopes ---------------------------------------------------------------------------------------------------------

    def scope(self, node: Node) -> Scope:
        """The scope that evaluates the node."""
        asked = self._asked.get(node)
        if asked is not None:
            return asked
        parents, scopes, blocks = self._tree.parents, self._scopes, self._blocks
        child, passed, found = node, [], self.module
        current = parents.get(node)
        while current is not None:
            if current in blocks:
                found = blocks[current]
                break
            kind = type(current)
            if kind is cst.IndentedBlock:
                passed.append(current)
            elif kind is cst.FunctionDef or kind is cst.Lambda:
                if child is current.body or (child is current.params and type(node) in (cst.Param, cst.Name) and self._is_parameter(node)):  # type: ignore[attr-defined]
                    found = scopes[current]
                    break
            elif kind is cst.ClassDef:
                if child is current.body:  # type: ignore[attr-defined]
                    found = scopes[current]
                    break
            elif kind is cst.CompFor and child is current.iter and type(parents[current]) in COMPREHENSIONS:  # type: ignore[attr-defined]
                current = parents[current]  # the first iterable is evaluated outside
            elif current in scopes:
                found = scopes[current]
                break
            child, current = current, parents.get(current)
        for block in passed:
            blocks[block] = found
        if type(node) is cst.Name:
            self._asked[node] = found
        return found

    def _is_parameter(self, node: Node) -> bool:
        parent = node if isinstance(node, cst.Param) else self._tree.parents.get(node)
        return isinstance(parent, cst.Param) and (node is parent or node is parent.name)

    def _declare(self) -> None:
        tree = self._tree
        openers: list[Node] = []
        for kind in (cst.FunctionDef, cst.ClassDef, cst.Lambda, *COMPREHENSIONS):
            openers += tree.by_type.get(kind, ())
        openers.sort(key=tree.order.__getitem__)
        for opener in openers:
            self._scopes[opener] = Scope(opener, None)
        for opener in openers:  # an outer scope comes before the scopes in it
            self._scopes[opener].parent = self.scope(opener)
        outward: list[cst.Global | cst.Nonlocal] = [*tree.nodes(cst.Global), *tree.nodes(cst.Nonlocal)]
        for statement in outward:
            scope = self.scope(statement)
            for item in statement.names:
                scope.outer[item.name.value] = isinstance(statement, cst.Global)

    # -- bindings -------------------------------------------------------------------------------------------------------

    def _bind_definitions(self) -> None:
        for function in self._tree.nodes(cst.FunctionDef):
            self.scope(function).bind(function.name.value, Binding(Binds.FUNCTION, function))
        for definition in self._tree.nodes(cst.ClassDef):
            self.scope(definition).bind(definition.name.value, Binding(Binds.CLASS, definition))
        for parameter in self._tree.nodes(cst.Param):
            self.scope(parameter).bind(parameter.name.value, Binding(Binds.PARAMETER, parameter.name))

    def _bind_imports(self) -> None:
        for plain in self._tree.nodes(cst.Import):
            scope = self.scope(plain)
            for alias in plain.names:
                path = _dotted(alias.name)
                if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                    scope.bind(alias.asname.name.value, Binding(Binds.IMPORT, alias, path=path))
                else:
                    head = path.split(".")[0]
                    scope.bind(head, Binding(Binds.IMPORT, alias, path=head))
        for chosen in self._tree.nodes(cst.ImportFrom):
            base = "." * len(chosen.relative) + (_dotted(chosen.module) if chosen.module is not None else "")
            if isinstance(chosen.names, cst.ImportStar):
                self.stars.append(base)
                continue
            scope = self.scope(chosen)
            for alias in chosen.names:
                name = alias.name.value if isinstance(alias.name, cst.Name) else _dotted(alias.name)
                bound = alias.asname.name if alias.asname is not None else alias.name
                if isinstance(bound, cst.Name):
                    joined = base + name if base.endswith(".") else f"{base}.{name}"
                    scope.bind(bound.value, Binding(Binds.IMPORT, alias, path=joined))

    def _bind_targets(self) -> None:
        tree = self._tree
        for assign in tree.nodes(cst.Assign):
            for target in assign.targets:
                if isinstance(target.target, cst.Name):
                    self.scope(assign).bind(target.target.value, Binding(Binds.ASSIGN, target.target, assign.value))
                else:
                    self._bind_target(target.target)
        for annotated in tree.nodes(cst.AnnAssign):
            if isinstance(annotated.target, cst.Name):
                self.scope(annotated).bind(annotated.target.value, Binding(Binds.ASSIGN, annotated.target, annotated.value))
        for walrus in tree.nodes(cst.NamedExpr):
            scope = self.scope(walrus)
            while isinstance(scope.node, COMPREHENSIONS) and scope.parent is not None:
                scope = scope.parent
            if isinstance(walrus.target, cst.Name):
                scope.bind(walrus.target.value, Binding(Binds.ASSIGN, walrus.target, walrus.value))
        for update in tree.nodes(cst.AugAssign):
            self._bind_target(update.target)
        for loop in tree.nodes(cst.For):
            self._bind_target(loop.target)
        for clause in tree.nodes(cst.CompFor):
            self._bind_target(clause.target)
        for asname in tree.nodes(cst.AsName):
            if not isinstance(tree.parents.get(asname), cst.ImportAlias):
                self._bind_target(asname.name)
        for deleted in tree.nodes(cst.Del):
            self._bind_target(deleted.target)
        for match in (cst.MatchAs, cst.MatchStar):
            for pattern in tree.by_type.get(match, ()):
                if pattern.name is not None:  # type: ignore[attr-defined]
                    self._bind_target(pattern.name)  # type: ignore[attr-defined]

    def _bind_target(self, target: Node) -> None:
        if isinstance(target, cst.Name):
            self.scope(target).bind(target.value, Binding(Binds.TARGET, target))
        elif isinstance(target, (cst.Tuple, cst.List, cst.StarredElement, cst.Element)):
            for name in _target_names(target):
                self.scope(name).bind(name.value, Binding(Binds.TARGET, name))

    # -- answers --------------------------------------------------------------------------------------------------------

    def bindings(self, name: cst.Name) -> list[Binding]:
        """Every binding of a used name in the scope that binds it; empty for builtins and unknown names."""
        scope = self.scope(name).lookup(name.value)
        return scope.bindings[name.value] if scope is not None else []

    def bound(self, name: cst.Name) -> list[Node]:
        """The nodes that bind the variable, in document order."""
        scope = self.scope(name).lookup(name.value)
        if scope is None:
            return []
        known = self._bound.get((scope, name.value))
        if known is None or len(known) != len(scope.bindings[name.value]):
            nodes = sorted((each.node for each in scope.bindings[name.value]), key=self._tree.order.__getitem__)
            known = self._bound[scope, name.value] = nodes
        return known

    def references(self, name: cst.Name) -> list[cst.Name]:
        """Every appearance, in document order, of the variable that this name is bound to (or would be)."""
        groups = self._references.get(name.value)
        if groups is None:  # all variables of this name at once: asked one by one, they would be looked through again and again
            groups = self._references[name.value] = {}
            for each in self._tree.names.get(name.value, ()):
                groups.setdefault(self.scope(each).lookup(each.value), []).append(each)
        return groups.get(self.scope(name).lookup(name.value), [])

    def definition(self, name: cst.Name) -> Binding | None:
        """The binding of a name that is bound exactly once."""
        found = self.bindings(name)
        return found[0] if len(found) == 1 else None

    def qualname(self, node: Node) -> str | None:
        """The canonical dotted path of an expression that stands for something imported, or None."""
        known = self._qualified.get(node, _UNASKED)
        if known is not _UNASKED:
            return known
        self._qualified[node] = None  # a name that is defined by itself stays unknown
        found: str | None = None
        if isinstance(node, cst.Attribute):
            head = self.qualname(node.value)
            if head is not None:
                found = canonical(f"{head}.{node.attr.value}")
        elif isinstance(node, cst.Name):
            found = self._imported(node)
        self._qualified[node] = found
        return found

    def _imported(self, name: cst.Name) -> str | None:
        scope = self.scope(name).lookup(name.value)
        if scope is None:
            return None
        found: set[str] = set()
        for binding in scope.bindings[name.value]:
            if binding.how is Binds.IMPORT and binding.path is not None:
                found.add(canonical(binding.path))
            elif binding.how is Binds.ASSIGN and isinstance(binding.value, (cst.Name, cst.Attribute)):
                if isinstance(binding.value, cst.Name) and binding.value.value == "None":
                    continue  # `except ImportError: torch = None` says nothing about what torch is
                path = self.qualname(binding.value)
                if path is None:
                    return None
                found.add(path)
            else:
                return None
        return found.pop() if len(found) == 1 else None


def _dotted(node: Node) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def _target_names(target: Node) -> Iterator[cst.Name]:
    """The plain names bound by an unpacking target; attributes and subscripts in it bind none."""
    if isinstance(target, cst.Name):
        yield target
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from _target_names(element.value)
    elif isinstance(target, (cst.Element, cst.StarredElement)):
        yield from _target_names(target.value)

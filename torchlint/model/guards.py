"""What a question about torch comes out as in one version of it: its version compared, a name that it has, an import that fails.

A test is computed as Python would compute it if `torch.__version__` were that version. What cannot be computed is unknown, and in
doubt where it names a version.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import libcst as cst

from torchlint.facts.declared import version_of
from torchlint.facts.versions import presence, versions
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal, text
from torchlint.syntax.names import Binding, Binds
from torchlint.syntax.tree import Node, descendants

_VERSION = re.compile(r"\s*v?(\d{1,4}(?:\.\d{1,4})*)")
_ABOUT_VERSIONS = re.compile(r"version|torch\w*(?:\d|_(?:ge|gt|le|lt|greater|less|newer|older|before|since|at_least))", re.IGNORECASE)
_OF_OTHERS = re.compile(r"(?:sys|platform)\.|torch\.version\.(?:cuda|hip|xpu|debug)|(?!torch\.)[\w.]*\.__version__$")
_PARSES = frozenset({"Version", "LooseVersion", "StrictVersion", "TorchVersion", "parse", "parse_version"})
_TEXTUAL = frozenset("split rsplit partition startswith strip rstrip lstrip replace join isdigit isnumeric isdecimal".split())
_MISSING = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError"})
_DEEPEST = 12
"""How many names are followed to what they stand for."""
_FURTHEST = 3
"""The same where it is only asked whether versions are spoken of."""
_LONGEST = 200
"""Characters of a text that may still be a version, or what is made of one."""
_COMPARED: Mapping[type[Node], Callable[[Any, Any], object]] = {
    cst.LessThan: operator.lt,
    cst.LessThanEqual: operator.le,
    cst.GreaterThan: operator.gt,
    cst.GreaterThanEqual: operator.ge,
    cst.Equal: operator.eq,
    cst.NotEqual: operator.ne,
    cst.Is: operator.is_,
    cst.IsNot: operator.is_not,
}
_BUILTINS: Mapping[str, Callable[..., object]] = {
    "int": int,
    "float": float,
    "str": str,
    "tuple": tuple,
    "list": list,
    "any": any,
    "all": all,
}


class _Unreadable(Exception):
    """An expression that cannot be computed."""


class _Parsed(tuple[int, ...]):
    """A version object: its numbers, without zeros at the end."""

    __slots__ = ()


class _Text(str):
    """`torch.__version__` itself, which compares as a version does."""

    __slots__ = ()


class Reading:
    """The tests of one file in one version of torch, such as `2.1.0`."""

    def __init__(self, file: FileAnalysis, version: str) -> None:
        self._file = file
        self._version = version
        self._minor = version_of(".".join(version.split(".")[:2]))
        self._known: dict[str, object] = {}
        """The variables of comprehensions."""
        self._depth = 0
        self.is_doubtful = False
        """Whether something about a version could not be read."""
        self.depends = False
        """Whether another version might have given another answer."""

    def truth(self, node: Node) -> bool | None:
        """How a test comes out; None where that depends on other things, or cannot be told."""
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            inner = self.truth(node.expression)
            return None if inner is None else not inner
        if isinstance(node, cst.BooleanOperation):
            decides = isinstance(node.operator, cst.Or)
            parts = self.truth(node.left), self.truth(node.right)
            return decides if decides in parts else None if None in parts else not decides
        if isinstance(node, (cst.Try, cst.TryStar)):
            return self._succeeds(node)
        meant = self._meant(node) if self._depth < _DEEPEST else None
        if meant is not None:
            self._depth += 1
            known = self.truth(meant)
            self._depth -= 1
            self.is_doubtful = self.is_doubtful or known is None and self._is_about_versions(node)
            return known
        try:
            return bool(self._value(node))
        except (_Unreadable, TypeError, ValueError, LookupError, ArithmeticError):
            self.is_doubtful = self.is_doubtful or self._is_about_versions(node)
            return None

    def _meant(self, node: Node) -> Node | None:
        """The test that a name was given, or that a small function returns."""
        if isinstance(node, cst.Name) and node.value not in self._known:
            binding = self._file.names.definition(node)
            return binding.value if binding is not None else None
        if isinstance(node, cst.Call) and not node.args and isinstance(node.func, cst.Name):
            binding = self._file.names.definition(node.func)
            if binding is not None and binding.how is Binds.FUNCTION and isinstance(binding.node, cst.FunctionDef):
                last = binding.node.body.body[-1]
                returns = [each for each in descendants(binding.node.body) if isinstance(each, cst.Return)]
                is_only = len(returns) == 1 and isinstance(last, cst.SimpleStatementLine) and last.body[-1] is returns[0]
                return returns[0].value if is_only else None
        return None

    def _is_about_versions(self, node: Node, seen: frozenset[Node] = frozenset()) -> bool:
        """Whether a name in an expression, or in what such a name stands for, speaks of versions; those of other things left out."""
        for each in descendants(node):
            around = self._file.parent(each)
            if not isinstance(each, (cst.Name, cst.Attribute)) or around is None or isinstance(around, cst.Arg) and around.keyword is each:
                continue  # of an attribute, the whole of it is looked at
            word = each.value if isinstance(each, cst.Name) else each.attr.value
            if _ABOUT_VERSIONS.search(word) is not None:
                path = self._longest(each)
                if path is None or _OF_OTHERS.match(path) is None:
                    return True
            elif isinstance(each, cst.Name) and len(seen) < _FURTHEST:
                binding = self._file.names.definition(each)
                given = self._stands_for(binding) if binding is not None else None
                if given is not None and given not in seen and self._is_about_versions(given, seen | {given}):
                    return True
        return False

    def _stands_for(self, binding: Binding) -> Node | None:
        if binding.how is Binds.FUNCTION and isinstance(binding.node, cst.FunctionDef):
            return binding.node.body
        return binding.value or self._assigned(binding.node)

    def _longest(self, node: Node) -> str | None:
        """The dotted path that a name is a part of."""
        while isinstance(around := self._file.parent(node), cst.Attribute):
            node = around
        return self._file.qualname(node)

    def _assigned(self, name: Node) -> cst.BaseExpression | None:
        """What is unpacked into a name, among others."""
        for around in islice(self._file.ancestors(name), 3):
            if isinstance(around, cst.AssignTarget):
                assign = self._file.parent(around)
                return assign.value if isinstance(assign, cst.Assign) else None
        return None

    # -- names that may be absent ---------------------------------------------------------------------------------------

    def _has(self, path: str) -> bool | None:
        """Whether torch has a dotted name."""
        known, self.depends = presence(path), True
        if known is None:
            self.is_doubtful = True
            return None
        if self._minor >= versions()[0]:
            return self._minor in known
        return None if known.first is None else False  # the table does not say since when

    def _succeeds(self, node: cst.Try | cst.TryStar) -> bool | None:
        """Whether every name of torch is there that is imported in a `try`, or read under `except AttributeError`."""
        caught = {self._file.source(name) for handler in node.handlers for name in _caught(handler)}
        if not caught & _MISSING and not _is_short(node.body):
            return None
        imported = list(self._imported(node.body))
        names = {path for path in imported if path.startswith("torch.")}
        if "AttributeError" in caught:
            read = (self._file.qualname(each) for each in descendants(node.body) if isinstance(each, cst.Attribute))
            names |= {path for path in read if path is not None and path.startswith("torch.")}
        if not names:
            return None
        answers = {self._has(path) for path in names}
        others = any(not path.startswith("torch.") for path in imported if path != "torch")
        return False if False in answers else None if None in answers or others else True

    def _imported(self, body: Node) -> Iterator[str]:
        for each in descendants(body):
            if isinstance(each, cst.Import):
                yield from (self._file.source(alias.name) for alias in each.names)
            elif isinstance(each, cst.ImportFrom) and not isinstance(each.names, cst.ImportStar):
                module = "." * len(each.relative) + (self._file.source(each.module) if each.module is not None else "")
                yield from (f"{module}.{self._file.source(alias.name)}" for alias in each.names)

    # -- expressions ----------------------------------------------------------------------------------------------------

    def _value(self, node: Node) -> Any:
        """What an expression yields."""
        if isinstance(node, cst.Name):
            return self._variable(node)
        if isinstance(node, cst.Attribute):
            return self._attribute(node)
        if isinstance(node, cst.Call):
            return self._call(node)
        if isinstance(node, cst.Comparison):
            return self._comparison(node)
        if isinstance(node, (cst.Tuple, cst.List, cst.Set)):
            return tuple(self._value(each.value) for each in node.elements if isinstance(each, cst.Element))
        if isinstance(node, cst.Subscript) and len(node.slice) == 1:
            return self._value(node.value)[self._index(node.slice[0].slice)]
        if isinstance(node, (cst.GeneratorExp, cst.ListComp)):
            return self._comprehension(node)
        if isinstance(node, cst.NamedExpr):
            return self._value(node.value)
        if isinstance(node, cst.BooleanOperation) or isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            known = self.truth(node)
            if known is not None:
                return known
        found = literal(node)
        if found is ...:
            raise _Unreadable
        return found

    def _variable(self, name: cst.Name) -> Any:
        if name.value in self._known:
            return self._known[name.value]
        if name.value in ("True", "False", "None"):
            return literal(name)
        if self._is_version(name):
            return self._text()
        binding = self._file.names.definition(name)
        if binding is None or self._depth >= _DEEPEST:
            raise _Unreadable
        self._depth += 1
        try:
            return self._value(binding.value) if binding.value is not None else self._unpacked(binding.node)
        finally:
            self._depth -= 1

    def _text(self) -> _Text:
        self.depends = True
        return _Text(self._version)

    def _unpacked(self, name: Node) -> Any:
        """`major, minor = …`"""
        element, given = self._file.parent(name), self._assigned(name)
        targets = self._file.parent(element) if element is not None else None
        if given is None or not isinstance(targets, (cst.Tuple, cst.List)):
            raise _Unreadable
        values = self._value(given)
        if not isinstance(values, (tuple, list)) or any(isinstance(each, cst.StarredElement) for each in targets.elements):
            raise _Unreadable
        return values[[each is element for each in targets.elements].index(True)]

    def _is_version(self, node: Node) -> bool:
        return self._file.qualname(node) in ("torch.__version__", "torch.version.__version__")

    def _attribute(self, node: cst.Attribute) -> Any:
        if self._is_version(node):
            return self._text()
        if node.attr.value == "version" and isinstance(node.value, cst.Call) and self._is_installed(node.value, "get_distribution"):
            return self._text()
        owner = self._value(node.value)
        if isinstance(owner, _Parsed):
            numbers = (*owner, 0, 0, 0)[:3]
            parts = {"release": numbers, "version": numbers, "major": numbers[0], "minor": numbers[1], "micro": numbers[2]}
            if node.attr.value in parts:
                return parts[node.attr.value]
            if node.attr.value in ("base_version", "public"):
                return self._text()
        raise _Unreadable

    def _is_installed(self, call: cst.Call, name: str) -> bool:
        """`version("torch")` of the metadata of packages, or `get_distribution("torch")`."""
        path = self._file.qualname(call.func) or ""
        return path.rpartition(".")[2] == name and len(call.args) == 1 and text(call.args[0].value) == "torch"

    def _call(self, node: cst.Call) -> Any:
        if any(each.star or each.keyword is not None for each in node.args):
            raise _Unreadable
        if self._is_installed(node, "version"):
            return self._text()
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in _TEXTUAL:
            owner = self._value(node.func.value)
            if isinstance(owner, str) and len(owner) <= _LONGEST:
                return getattr(str(owner), node.func.attr.value)(*(self._value(each.value) for each in node.args))
        path = self._file.qualname(node.func)
        name = node.func.value if isinstance(node.func, cst.Name) else None
        if path is not None:
            if path.rpartition(".")[2] in _PARSES and "version" in path.lower():
                return _parsed(self._value(node.args[0].value))
            raise _Unreadable
        if name in ("hasattr", "getattr"):
            return self._asked(name, [each.value for each in node.args])
        if name == "map" and len(node.args) == 2:
            convert = _BUILTINS[self._file.source(node.args[0].value)]
            return tuple(convert(each) for each in self._value(node.args[1].value))
        if name is not None and name in _BUILTINS and len(node.args) == 1:
            return _BUILTINS[name](self._value(node.args[0].value))
        meant = self._meant(node)
        if meant is not None and self._depth < _DEEPEST:
            self._depth += 1
            try:
                return self._value(meant)
            finally:
                self._depth -= 1
        raise _Unreadable

    def _asked(self, question: str, arguments: list[cst.BaseExpression]) -> Any:
        """`hasattr(torch, "compile")`, `getattr(torch, "compile", None)`"""
        owner, attribute = self._file.qualname(arguments[0]), text(arguments[1])
        if owner is None or attribute is None or owner.split(".")[0] != "torch":
            raise _Unreadable
        there = self._has(f"{owner}.{attribute}")
        if there is None or question == "getattr" and len(arguments) != 3:
            raise _Unreadable
        return there if question == "hasattr" else object() if there else self._value(arguments[2])

    def _comparison(self, node: cst.Comparison) -> bool:
        left = self._value(node.left)
        for target in node.comparisons:
            right = self._value(target.comparator)
            if not _holds(left, type(target.operator), right):
                return False
            left = right
        return True

    def _index(self, index: cst.BaseSlice) -> Any:
        if isinstance(index, cst.Index):
            return self._value(index.value)
        assert isinstance(index, cst.Slice)
        return slice(*(self._value(each) if each is not None else None for each in (index.lower, index.upper, index.step)))

    def _comprehension(self, node: cst.GeneratorExp | cst.ListComp) -> tuple[Any, ...]:
        clause = node.for_in
        if clause.inner_for_in is not None or not isinstance(clause.target, cst.Name):
            raise _Unreadable
        found = []
        for each in self._value(clause.iter):
            self._known[clause.target.value] = each
            try:
                if all(self._value(condition.test) for condition in clause.ifs):
                    found.append(self._value(node.elt))
            finally:
                del self._known[clause.target.value]
        return tuple(found)


def _caught(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> list[cst.BaseExpression]:
    if isinstance(handler.type, cst.Tuple):
        return [each.value for each in handler.type.elements]
    return [handler.type] if handler.type is not None else []


def _is_short(body: cst.BaseSuite) -> bool:
    """Imports and assignments alone: whatever is caught there, it is that a name is missing."""
    rows = [row for row in body.body if isinstance(row, cst.SimpleStatementLine)]
    kinds = (cst.Import, cst.ImportFrom, cst.Assign)
    return len(rows) == len(body.body) and all(isinstance(each, kinds) for row in rows for each in row.body)


def _parsed(value: object) -> _Parsed:
    """The numbers of a version, without the zeros at its end."""
    if isinstance(value, _Parsed):
        return value
    if isinstance(value, str):
        found = _VERSION.match(value)
        if found is None:
            raise _Unreadable
        value = tuple(map(int, found[1].split(".")))
    if not isinstance(value, tuple) or not value or not all(isinstance(each, int) for each in value):
        raise _Unreadable
    numbers = list(value)
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return _Parsed(numbers)


def _holds(left: Any, how: type[Node], right: Any) -> bool:
    if how in (cst.In, cst.NotIn):
        if isinstance(right, str):
            if not isinstance(left, str) or re.fullmatch(r"[\d.]+", left) is None:
                raise _Unreadable  # `"+cu" in torch.__version__` is about the build
            found = left in str(right)
        else:
            found = any(_holds(left, cst.Equal, each) for each in right)
        return found if how is cst.In else not found
    if isinstance(left, (_Parsed, _Text)) or isinstance(right, (_Parsed, _Text)):
        if how in (cst.Is, cst.IsNot):
            return how is cst.IsNot
        left, right = tuple(_parsed(left)), tuple(_parsed(right))
    return bool(_COMPARED[how](left, right))

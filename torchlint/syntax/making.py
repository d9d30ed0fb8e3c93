"""How LibCST's nodes are made: checked or not, and, in processes of torchlint's own, by plain assignments.

LibCST's nodes are frozen, so that what makes one calls `object.__setattr__` for each of its fields: a fifth of the time of a parse. A node
that can be assigned to is made sooner. Whoever asks for that gives up LibCST's guard against accidental assignments; the command line and
the language server do, in whose processes nobody else makes nodes. Whoever uses torchlint as a library keeps LibCST as it is.

More than half of all nodes stand for nothing but a blank, the end of a row or a dot. There are few different ones of them, and nobody
asks where one stands, so that in those processes equal ones are one node: it halves what the trees of a project take.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from sys import intern
from threading import Lock
from types import FunctionType

import libcst as cst

_MOST = """
    Name Comma Arg ParenthesizedWhitespace Attribute SimpleStatementLine Call IndentedBlock Param Annotation AssignTarget Assign
    SimpleString Element RightSquareBracket LeftSquareBracket AssignEqual SubscriptElement Index Comment Subscript If Integer
    Expr BinaryOperation ComparisonTarget Comparison Parameters FunctionDef Return FormattedStringText ImportAlias RightParen
    LeftParen UnaryOperation FormattedStringExpression Tuple FormattedString
""".split()
"""The types of 49 in 50 nodes, with those that are shared."""
SHARED: tuple[type[cst.CSTNode], ...] = (cst.SimpleWhitespace, cst.Newline, cst.TrailingWhitespace, cst.EmptyLine, cst.Dot)
_INTERNED = (cst.Name, cst.Integer)
"""What their `value` says stands in a file again and again."""
_DIFFERENT = 1_000
"""Nodes of one type that are shared: more than most projects have, and few enough to be kept for good."""
_THAWED = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}

_given: dict[str, object] = {"is_checked": True, "intern": intern}
"""What the functions that make nodes see: whether what they made is checked, and the defaults that are made anew."""
_parsing = Lock()


def _check(node: cst.CSTNode) -> None:
    if _given["is_checked"]:
        node._validate()


@cache
def _ask_before_checks() -> None:
    """Done once: to exchange the method for every parse would empty what Python keeps about the types of all nodes."""
    cst.CSTNode.__post_init__ = _check  # type: ignore[method-assign, assignment]


@contextmanager
def unchecked() -> Iterator[None]:
    """Make nodes without the checks that LibCST makes of each: they are for nodes made by hand, and a sixth of the price."""
    _ask_before_checks()
    with _parsing:
        _given["is_checked"] = False
        try:
            yield
        finally:
            _given["is_checked"] = True


@cache
def by_assignment() -> None:
    """Let nodes of the most frequent types be made by assignments from now on, and be assigned to."""
    kinds = {name: kind for name in _MOST if (kind := getattr(cst, name, None)) is not None and _is_generated(kind)}
    exec("\n".join(_written(name, kind) for name, kind in kinds.items()), _given)  # as dataclasses do
    for name, kind in kinds.items():
        made, before = _given.pop(name), kind.__init__
        assert isinstance(made, FunctionType)
        made.__name__, made.__qualname__, made.__module__ = before.__name__, before.__qualname__, before.__module__
        made.__defaults__, made.__annotations__ = before.__defaults__, before.__annotations__
        for each, method in {**_THAWED, "__init__": made}.items():
            setattr(kind, each, method)
    whole: set[object] = {None, True, False}
    for kind in filter(_is_generated, SHARED):
        _share(kind, whole)


def _share(kind: type[cst.CSTNode], whole: set[object]) -> None:
    """Let equal nodes of this type be one. `whole` holds what is equal where it is the same: the nodes that are shared."""
    fill, known = kind.__init__, dict[object, cst.CSTNode]()
    names = [each.name for each in dataclasses.fields(kind)]

    def first(cls: type[cst.CSTNode], parts: tuple[object, ...]) -> cst.CSTNode:
        node = object.__new__(cls)
        fill(node, *parts)
        if len(known) < _DIFFERENT and all(isinstance(each, str) or each in whole for each in parts):
            known[parts] = node
            whole.add(node)
        return node

    given: dict[str, object] = {"known": known.get, "first": first}
    parameters, parts = ", ".join(names), "".join(f"{each}, " for each in names)
    exec(f"def __new__(cls, {parameters}):\n    parts = ({parts})\n    return known(parts) or first(cls, parts)", given)
    made = given["__new__"]
    assert isinstance(made, FunctionType)
    made.__defaults__, made.__annotations__ = fill.__defaults__, fill.__annotations__
    whole.update(fill.__defaults__ or ())
    kind.__new__ = made  # type: ignore[method-assign]
    kind.__init__ = object.__init__  # type: ignore[method-assign]


def _is_generated(kind: type[cst.CSTNode]) -> bool:
    """Whether a type is made as dataclasses make it: each field is a parameter, in their order."""
    code = kind.__init__.__code__
    names = tuple(each.name for each in dataclasses.fields(kind) if each.init)
    return not code.co_kwonlyargcount and code.co_varnames[1 : code.co_argcount] == names and len(names) == len(dataclasses.fields(kind))


def _written(name: str, kind: type[cst.CSTNode]) -> str:
    """The text of a function that makes a node of this type, as dataclasses would write it for one that is not frozen."""
    fields = dataclasses.fields(kind)
    lines = [f"def {name}(self, {', '.join(each.name for each in fields)}):"]
    for position, each in enumerate(fields, -len(fields)):
        value = f"intern({each.name})" if kind in _INTERNED and each.name == "value" else each.name
        if each.default_factory is not dataclasses.MISSING:
            _given["absent"] = kind.__init__.__defaults__[position]  # type: ignore[index]  # the same one for all of them
            _given[fresh := f"fresh_{name}_{value}"] = each.default_factory
            value = f"{value} if {value} is not absent else {fresh}()"
        lines.append(f"    self.{each.name} = {value}")
    return "\n".join([*lines, "    if is_checked: self.__post_init__()"])

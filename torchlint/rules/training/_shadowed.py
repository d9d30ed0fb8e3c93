"""Names of callables that a loop gives to what they return, so that the next iteration calls that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node, runs_once
from torchlint.values.value import Kind, Value

_NO_CALLABLE = frozenset({Kind.TENSOR, Kind.NUMBER, Kind.TUPLE, Kind.LIST, Kind.DICT})
_LEAVES = (cst.Break, cst.Return, cst.Raise)


@dataclass
class Shadowed:
    call: cst.Call
    loop: Node
    was: Value
    """What the name stands for in the first iteration."""


def shadowed(file: FileAnalysis) -> Iterator[Shadowed]:
    for statement in file.nodes(cst.Assign):
        target, call = statement.targets[0].target, statement.value
        if len(statement.targets) != 1 or not isinstance(target, cst.Name) or not isinstance(call, cst.Call):
            continue
        if not isinstance(call.func, cst.Name) or call.func.value != target.value:
            continue
        loop = _loop(file, statement, target)
        was = _before(file, target, loop) if loop is not None else None
        if loop is not None and was is not None and (_returns_tensor(was) or file.value(call).kind in _NO_CALLABLE):
            yield Shadowed(call, loop, was)


def _loop(file: FileAnalysis, statement: cst.Assign, target: cst.Name) -> cst.For | cst.While | None:
    """The innermost loop, if every iteration gets here, another one follows, and nothing in it binds the name again."""
    loop = next(file.tree.loops(statement), None)
    if loop is None or runs_once(loop) or len(when(file, statement)) > len(when(file, loop)):
        return None
    inside = [each for each in file.names.bindings(target) if each.how is not Binds.PARAMETER and file.is_inside(each.node, loop)]
    rows = (each for each in loop.body.body if isinstance(each, cst.SimpleStatementLine))
    is_left = any(isinstance(part, _LEAVES) for row in rows for part in row.body)
    return None if len(inside) != 1 or is_left else loop


def _before(file: FileAnalysis, target: cst.Name, loop: Node) -> Value | None:
    """What the name is bound to ahead of the loop, if that can be called and is one thing."""
    outside = [each for each in file.names.bindings(target) if each.how is Binds.PARAMETER or not file.is_inside(each.node, loop)]
    if len(outside) != 1:
        return None
    only = outside[0]
    if only.value is not None:
        return file.value(only.value)
    return Value(Kind.UNKNOWN if only.how is Binds.PARAMETER else Kind.FUNCTION, node=only.node)


def _returns_tensor(was: Value) -> bool:
    return was.kind is Kind.MODULE or (was.qualname or "").startswith("torch.nn.functional.")

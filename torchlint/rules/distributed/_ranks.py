"""Which ranks reach a place: conditions that ask for the rank, and collective calls that not all ranks come to.

A rank is what `torch.distributed` or the environment says it is, or what has that name and is no loop's variable. Three ranks stand
for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import libcst as cst

from torchlint.facts.signatures import signatures, signed_in
from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Condition
from torchlint.values.references import BUILTINS
from torchlint.values.value import Function

Ranks = frozenset[int]
ALL: Ranks = frozenset({0, 1, 2})
_FIRST: Ranks = frozenset({0})
_RANK = re.compile(
    r"^(?:(?:local|global|world|ddp|ddp_local|dist|my|this|current|process|proc|worker)_)?rank$|^(?:local_|global_)?process_index$",
    re.IGNORECASE,
)
_IS_FIRST = re.compile(
    r"^(?:is_)?(?:local_|global_|world_)?(?:main|master)(?:_process|_proc|_rank)?$|^is_(?:global|rank|world_process)_zero$"
)
_SPOKEN = re.compile(r"rank|world_?size|num_?replicas|num_?shards|process_?index|main_?process|worker_info", re.IGNORECASE)
_VARIABLES = frozenset({"RANK", "LOCAL_RANK"})
_TOGETHER = frozenset("monitored_barrier broadcast_object_list all_gather_object gather_object scatter_object_list".split())
"""Collective functions that have no `async_op`."""
_FAR = 4
"""Through how many names and functions a question is followed."""


@cache
def _collectives() -> frozenset[str]:
    names = {f"torch.distributed.{name}" for name in signed_in("torch.distributed")}
    return frozenset(each for each in names if each.rpartition(".")[2] in _TOGETHER or any("async_op" in one for one in signatures(each)))


def left_alone(file: FileAnalysis) -> Iterator[tuple[cst.Call, Node]]:
    """The collective calls of all processes that only some ranks reach and the others nowhere, each with what is asked before it."""
    found = [(call, dict(asked(file, call))) for call in file.calls(*_collectives())]
    for call, questions in found:
        path, whole = file.qualname(call.func), _whole(file, call)
        others = [more for other, more in found if file.qualname(other.func) == path and _whole(file, other) is whole]
        for test, ranks in questions.items():
            is_met = any(not ranks & each for more in others for each in more.values())
            if not is_met and not _is_of_group(file, call) and not _may_be_met(file, test, call):
                yield call, test
                break


def _whole(file: FileAnalysis, node: Node) -> Node:
    """The class or function at the top of the file that holds a node."""
    return next((each for each in reversed([*file.ancestors(node)]) if isinstance(each, (cst.ClassDef, cst.FunctionDef))), file.module)


def asked(file: FileAnalysis, node: Node) -> Iterator[tuple[Node, Ranks]]:
    """The questions about the rank on the way to a place, each with the ranks that pass it."""
    stack: list[Condition] = list(when(file, node))
    while stack:
        condition = stack.pop()
        if isinstance(condition.arm, bool) and isinstance(condition.test, cst.BaseExpression):
            ranks = _passing(file, condition.test, _FAR)
            if ranks is not None:
                yield condition.test, ranks if _holds(condition) else ALL - ranks
            stack += condition.implied


def _holds(condition: Condition) -> bool:
    """Whether the test came out true as it is written: `a != b` asks for what `a == b` asks."""
    test = condition.test
    is_negated = isinstance(test, cst.Comparison) and isinstance(test.comparisons[0].operator, (cst.NotEqual, cst.NotIn, cst.IsNot))
    return bool(condition.arm) is not is_negated


def _passing(file: FileAnalysis, test: Node, far: int) -> Ranks | None:
    """The ranks for which a test holds; None where it does not depend on the rank, or nobody knows how."""
    if far == 0:
        return None
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = _passing(file, test.expression, far)
        return ALL - inner if inner is not None else None
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        return _compared(file, test.left, test.comparisons[0], far)
    if _is_rank(file, test, far):
        return ALL - _FIRST
    if isinstance(test, cst.Attribute):
        return _FIRST if _IS_FIRST.match(test.attr.value) else None
    return _named(file, test, far)


def _compared(file: FileAnalysis, left: cst.BaseExpression, target: cst.ComparisonTarget, far: int) -> Ranks | None:
    right, operator = target.comparator, target.operator
    if _is_rank(file, right, far):
        left, right = right, left
        if not isinstance(operator, (cst.Equal, cst.NotEqual)):
            return None
    if not _is_rank(file, left, far):
        return None
    known = literal(right)
    if isinstance(operator, cst.NotEqual) and known is ...:
        return None  # it may be no rank at all, but what says that there are no ranks
    if isinstance(operator, (cst.Equal, cst.NotEqual)):
        number = known if isinstance(known, int) else 0 if known is ... else -1
        equal = frozenset({min(number, 2)}) if number >= 0 else frozenset()
        passing = equal if isinstance(operator, cst.Equal) else ALL - equal
    elif isinstance(operator, (cst.In, cst.NotIn)) and isinstance(known, (list, tuple)):
        passing = frozenset(each for each in ALL if (each in known) is isinstance(operator, cst.In))
    elif isinstance(operator, (cst.GreaterThan, cst.GreaterThanEqual)) and isinstance(known, int):
        passing = frozenset(each for each in ALL if each > known or each == known and isinstance(operator, cst.GreaterThanEqual))
    else:
        return None
    return passing if passing not in (ALL, frozenset()) else None  # whether there are several at all


def _is_rank(file: FileAnalysis, node: Node, far: int) -> bool:
    if isinstance(node, cst.Attribute):
        return _RANK.match(node.attr.value) is not None
    if isinstance(node, cst.Subscript):
        keys = [literal(each.slice.value) for each in node.slice if isinstance(each.slice, cst.Index)]
        return file.qualname(node.value) == "os.environ" and any(each in _VARIABLES for each in keys)
    if isinstance(node, cst.Name) and _RANK.match(node.value):
        return all(
            each.how is Binds.PARAMETER or each.how is Binds.ASSIGN and not isinstance(literal(each.value), float)
            for each in file.names.bindings(node)
        )
    if not isinstance(node, cst.Call) or far == 0:
        return False
    path = file.qualname(node.func)
    if path == "torch.distributed.get_rank":
        return not node.args
    if path in ("os.getenv", "os.environ.get") and node.args:
        return literal(node.args[0].value) in _VARIABLES
    if isinstance(node.func, cst.Name) and node.func.value == "int" and node.args:
        return _is_rank(file, node.args[0].value, far)
    return any(_is_rank(where, each, far - 1) for where, each in _returned(file, node))


def _named(file: FileAnalysis, test: Node, far: int) -> Ranks | None:
    """What a name holds, or a function of the project returns: one question about the rank, and else nothing but `True`."""
    if isinstance(test, cst.Name):
        held = [(file, each.value) for each in file.names.bindings(test)]
    elif isinstance(test, cst.Call):
        held = [*_returned(file, test)]
    else:
        return None
    found = {_passing(where, each, far - 1) if each is not None else None for where, each in held if literal(each) is not True}
    return found.pop() if len(found) == 1 else None


def _returned(file: FileAnalysis, call: cst.Call) -> Iterator[tuple[FileAnalysis, cst.BaseExpression]]:
    """What a function of the project returns, in the places where it does."""
    called = file.value(call.func).definition
    if isinstance(called, Function) and isinstance(called.file, FileAnalysis) and isinstance(called.node, cst.FunctionDef):
        for each in called.file.inside(called.node, cst.Return):
            if each.value is not None and called.file.function(each) is called.node:
                yield called.file, each.value


def _is_of_group(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a call is for a group of processes, which may well be those that come here; or which group that is, is not known."""
    if any(arg.star for arg in call.args):
        return True
    group = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "group"), None)
    place = [each.name for one in signatures(file.qualname(call.func) or "") for each in one.parameters].index("group")
    positional = [arg.value for arg in call.args if arg.keyword is None]
    group = group if group is not None or len(positional) <= place else positional[place]
    return group is not None and literal(group) is not None and not (file.qualname(group) or "").endswith("group.WORLD")


def _may_be_met(file: FileAnalysis, test: Node, call: cst.Call) -> bool:
    """Whether those who take the other arm of a question call something that may lead to the same collective."""
    asking = file.parent(test)
    while isinstance(asking, (cst.BooleanOperation, cst.UnaryOperation)):
        asking = file.parent(asking)
    if not isinstance(asking, (cst.If, cst.IfExp)):
        return True
    arms: list[Node] = [asking.body, *([asking.orelse] if asking.orelse is not None else [])]
    other = [each for each in arms if not file.is_inside(call, each)]
    return any(not _is_harmless(file, each) for arm in other for each in file.inside(arm, cst.Call))


def _is_harmless(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a call surely leads to no collective: Python's own functions, and those of libraries but for the one in question."""
    path = file.qualname(call.func)
    if path is None:
        return isinstance(call.func, cst.Name) and call.func.value in BUILTINS and not file.names.bindings(call.func)
    return path.partition(".")[0] in ("torch", "os", "sys", "time", "logging", "numpy") and path not in _collectives()


def speaks_of_ranks(node: Node) -> bool:
    """Whether an expression or a definition names a rank or how many there are, in whatever way."""
    words = (each.value for each in descendants(node) if isinstance(each, (cst.Name, cst.SimpleString)))
    return any(_SPOKEN.search(word) for word in words)

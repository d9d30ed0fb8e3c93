"""Where a program switches determinism and cuDNN's benchmark on and off, in the order in which a function does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.binding import bind, parameters_of
from torchlint.values.events import Condition
from torchlint.values.value import Function

_BENCHMARK, _DETERMINISTIC = "torch.backends.cudnn.benchmark", "torch.backends.cudnn.deterministic"
_ALGORITHMS = ("torch.use_deterministic_algorithms", "torch.set_deterministic")
_DEEP = 3
"""Functions that call one another on the way to a switch."""


@dataclass(frozen=True, eq=False)
class Switch:
    """One switch that is set, as a function sees it."""

    file: FileAnalysis
    node: Node
    name: str
    is_on: bool
    when: tuple[Condition, ...]

    def is_reached_with(self, other: Switch) -> bool:
        """Whether this one is set whenever the other one is."""
        known = {each.question: each.arm for each in other.when}
        return all(known.get(each.question, ...) == each.arm for each in self.when)


Known = dict[tuple[Node, int], list[Switch]]
"""What each function sets, by how many calls further it was followed."""


def conflicts(file: FileAnalysis) -> Iterator[tuple[Switch, Switch]]:
    """The benchmark that is left on, and what asks for determinism. Each benchmark once."""
    if not file.tree.attributes.get("benchmark"):
        return
    seen: set[Node] = set()
    known: Known = {}
    for function in (file.module, *file.nodes(cst.FunctionDef)):
        switches = _switches(file, function, _DEEP, known)
        for index, benchmark in enumerate(switches):
            if benchmark.name != _BENCHMARK or not benchmark.is_on or benchmark.node in seen or benchmark.file is not file:
                continue
            asked = next((each for each in switches if each.name == _DETERMINISTIC and each.is_on), None)
            if asked is None or not benchmark.is_reached_with(asked):
                continue
            if any(each.name == _BENCHMARK and not each.is_on for each in switches[index + 1 :]):
                continue  # switched off again
            if any(each.name == _DETERMINISTIC and not each.is_on for each in switches[switches.index(asked) + 1 :]):
                continue
            seen.add(benchmark.node)
            yield benchmark, asked


def _switches(file: FileAnalysis, function: Node, deep: int, known: Known) -> list[Switch]:
    """What a function sets, with what the functions of the project set that it calls, in the order of the text."""
    if (function, deep) not in known:
        known[function, deep] = []  # a function that calls itself sets nothing more
        known[function, deep] = _found(file, function, deep, known)
    return known[function, deep]


def _found(file: FileAnalysis, function: Node, deep: int, known: Known) -> list[Switch]:
    sites: list[cst.Assign | cst.Call] = [*file.inside(function, cst.Assign), *file.inside(function, cst.Call)]
    found: list[Switch] = []
    for site in sorted((each for each in sites if file.function(each) is function), key=file.tree.order.__getitem__):
        found += _assigned(file, site) if isinstance(site, cst.Assign) else _called(file, site, deep, known)
    return found


def _assigned(file: FileAnalysis, statement: cst.Assign) -> Iterator[Switch]:
    for target in (each.target for each in statement.targets):
        path = file.qualname(target)
        if path in (_BENCHMARK, _DETERMINISTIC):
            yield Switch(file, target, str(path), literal(statement.value) is True, when(file, statement))


def _called(file: FileAnalysis, call: cst.Call, deep: int, known: Known) -> Iterator[Switch]:
    path = file.qualname(call.func)
    if path in _ALGORITHMS and call.args:
        yield Switch(file, call, _DETERMINISTIC, literal(call.args[0].value) is True, when(file, call))
    called = file.value(call.func).definition if deep and isinstance(call.func, (cst.Name, cst.Attribute)) else None
    if isinstance(called, Function) and isinstance(called.file, FileAnalysis) and isinstance(called.node, cst.FunctionDef):
        before, given = when(file, call), _given(call, called.node)
        for each in _switches(called.file, called.node, deep - 1, known):
            if not any(_is_refused(condition, given) for condition in each.when):
                yield replace(each, when=(*before, *each.when))


def _given(call: cst.Call, function: cst.FunctionDef) -> dict[str, object]:
    """What the parameters of a function are in a call, by what it passes or by their defaults; `...` where that cannot be read."""
    bound = bind(call, parameters_of(function))
    defaults = {each.name.value: literal(each.default) for each in (*function.params.params, *function.params.kwonly_params)}
    return {name: bound.literal(name) if bound.may_have(name) else default for name, default in defaults.items()}


def _is_refused(condition: Condition, given: dict[str, object]) -> bool:
    """Whether a parameter says no: `if deterministic:` of a call that leaves `deterministic=False` as it is."""
    test = condition.test
    value = given.get(test.value, ...) if isinstance(test, cst.Name) else ...
    return value is not ... and condition.arm in (True, False) and bool(value) is not condition.arm

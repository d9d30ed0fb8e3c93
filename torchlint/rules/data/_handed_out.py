"""Distributed samplers that a function makes for whoever calls it: in this file or another, the loops that are their epochs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.signatures import signatures
from torchlint.model.program import Program
from torchlint.model.training import loops as training_loops
from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.data._epochs import SAMPLER, TOLD, iterated, origins
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.binding import bind, parameters_of

_MEASURES = re.compile(r"(?:^|_)(?:val|valid|validation|dev|test|eval|evaluation)(?:$|_|set|data|loader|sampler)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class HandedOut:
    """A sampler that shuffles, and a loop of a caller that goes through it once per iteration."""

    sampler: cst.Call
    file: FileAnalysis
    """Where the loop stands."""
    loop: cst.For | cst.While


def handed_out(file: FileAnalysis) -> Iterator[HandedOut]:
    """Samplers that shuffle in the same order in every epoch of a program that asks a function for them. Each once."""
    if file.is_written(TOLD) or Program(file).managers.here:
        return
    for call in file.calls(SAMPLER):
        function = file.function(call)
        if not isinstance(function, cst.FunctionDef) or file.owner(function) is not None or _measures(file, call):
            continue
        sites = [*((file, each) for each in callers.calls(file, function)), *(file.called_elsewhere(function) or ())]
        found = (HandedOut(call, at, loop) for at, site in sites if _shuffles(file, call, function, site) for loop in _epochs(at, site))
        yield from (each for _, each in zip(range(1), found, strict=False))


def _measures(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a sampler is, by its name or that of its data, there to measure: in whatever order."""
    assign = file.parent(call)
    named: list[Node] = [each.target for each in assign.targets] if isinstance(assign, cst.Assign) else []
    named += [call.args[0].value] if call.args else []
    words = [each.value for part in named for each in descendants(part) if isinstance(each, cst.Name)]
    return any(_MEASURES.search(word) for word in words) or not any("train" in word.lower() for word in words) and _serves_both(file, call)


def _serves_both(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether another sampler is made in the same function, so that nothing but their names would tell what each is for."""
    function = file.function(call)
    return any(each is not call and file.function(each) is function for each in file.calls(SAMPLER))


def _shuffles(file: FileAnalysis, call: cst.Call, function: cst.FunctionDef, site: cst.Call) -> bool:
    """Whether a sampler shuffles where its function is called here: by default, or as the caller says."""
    bound = bind(call, signatures(SAMPLER)[0].parameters)
    if bound.is_spread:
        return False
    given = bound["shuffle"]
    if isinstance(given, cst.Name) and literal(given) is not True:
        given = bind(site, parameters_of(function))[given.value]
        return given is not None and literal(given) is True
    return given is None or literal(given) is True


def _epochs(file: FileAnalysis, site: cst.Call) -> Iterator[cst.For | cst.While]:
    """The loops after a call that go through what it returned once in every iteration."""
    for training in training_loops(file):
        loop = training.node
        if not isinstance(loop, (cst.For, cst.While)) or not training.repeats or file.is_inside(site, loop):
            continue  # no epochs, or a sampler for each of them
        if any(site in origins(value) for _, value in iterated(training)):
            yield loop

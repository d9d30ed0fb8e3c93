"""Which versions of torch may run a place of the code: those that the project supports, without those that a check around it excludes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import libcst as cst

from torchlint.facts.declared import Version, version_of
from torchlint.facts.versions import Range, versions
from torchlint.model.conditions import when
from torchlint.model.guards import Reading
from torchlint.program import forms
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node

_OLDER = (*((0, minor) for minor in range(1, 5)), *((1, minor) for minor in range(14)))
"""The minor versions before the tables begin."""
_PATCHES = 3
"""How many patch releases stand for a minor version: a check may tell one from another."""
_ASKS = re.compile(r"version|hasattr|getattr|except|torch\w*(?:\d|_[gl][te]|_greater|_less|_newer|_older)", re.IGNORECASE)
_SKIPS = {"skipif": False, "skipIf": False, "skipUnless": True}
"""Decorators of tests, and what their test comes out as where the function runs."""


def supported(file: FileAnalysis, node: Node) -> Range:
    """The newest version alone where the project does not say which is its oldest."""
    settings = file.settings
    newest = _minor(settings.newest_torch) if settings.newest_torch is not None else versions()[-1]
    oldest = _minor(settings.torch_version) if settings.torch_version is not None else newest
    everywhere = Range(oldest, max(oldest, newest))
    if not file.once(_asks):
        return everywhere
    guards, left = file.once(_Guards), list(_between(everywhere))
    for test, arm in _questions(file, node):
        passed = [each for each in left if guards.may_pass(test, arm, each)]
        if not passed or guards.is_doubtful(test, left):
            return replace(everywhere, is_doubtful=True)
        left = passed
    return Range(left[0], left[-1])


def _asks(file: FileAnalysis) -> bool:
    """Whether anything in the file may tell one version from another."""
    return forms.found(_ASKS, file.text) is not None


def _minor(version: str) -> Version:
    return version_of(".".join(version.split(".")[:2]))


def _between(ends: Range) -> Iterator[Version]:
    known = sorted({*_OLDER, *versions(), ends.oldest, ends.newest})
    return (each for each in known if ends.oldest <= each <= ends.newest)


def _questions(file: FileAnalysis, node: Node) -> Iterator[tuple[Node, bool]]:
    """The tests that a place is reached under, with the answers: of its own function, and of where each function around is defined."""
    for place in (node, *file.ancestors(node)):
        if place is not node and not isinstance(place, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
            continue
        if isinstance(place, (cst.FunctionDef, cst.ClassDef)):
            yield from _skips(place)
        for each in when(file, place):
            if isinstance(each.test, (cst.Try, cst.TryStar)):
                yield each.test, each.arm is None
            elif isinstance(each.test, cst.BaseExpression) and isinstance(each.arm, bool):
                yield each.test, each.arm is not _is_reversed(each.test)


def _is_reversed(test: Node) -> bool:
    """Whether the answer to a condition is that of the opposite test: `a != b` asks what `a == b` asks."""
    operators = [type(each.operator) for each in test.comparisons] if isinstance(test, cst.Comparison) else []
    return len(operators) == 1 and operators[0] in (cst.NotEqual, cst.IsNot, cst.NotIn)


def _skips(definition: cst.FunctionDef | cst.ClassDef) -> Iterator[tuple[Node, bool]]:
    """The conditions under which a test is skipped, as its decorators say."""
    for decorator in definition.decorators:
        call = decorator.decorator
        if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value in _SKIPS and call.args:
            yield call.args[0].value, _SKIPS[call.func.attr.value]


class _Guards:
    """What the tests of a file come out as, by version."""

    def __init__(self, file: FileAnalysis) -> None:
        self._file = file
        self._fixed: dict[Node, _Answers] = {}
        """Those that no version changes, most of them. How they come out is not asked: a flag that is off may be on tomorrow."""
        self._answers: dict[tuple[Node, Version], _Answers] = {}

    def may_pass(self, test: Node, arm: bool, version: Version) -> bool:
        answers = self._read(test, version).possible
        return arm in answers or None in answers

    def is_doubtful(self, test: Node, among: list[Version]) -> bool:
        return any(self._read(test, each).is_doubtful for each in among)

    def _read(self, test: Node, version: Version) -> _Answers:
        known = self._fixed.get(test) or self._answers.get((test, version))
        if known is None:
            readings = [Reading(self._file, ".".join(map(str, (*version, patch)))) for patch in range(_PATCHES)]
            answers = [reading.truth(test) for reading in readings]
            doubts = [answer is None and reading.is_doubtful for answer, reading in zip(answers, readings, strict=True)]
            if any(reading.depends for reading in readings):
                known = self._answers[test, version] = _Answers(frozenset(answers), any(doubts))
            else:
                known = self._fixed[test] = _Answers(frozenset({None}), any(doubts))
        return known


class _Answers(NamedTuple):
    possible: frozenset[bool | None]
    """None: it may come out either way."""
    is_doubtful: bool

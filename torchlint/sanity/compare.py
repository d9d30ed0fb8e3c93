"""Two observations of a program, as `observe` wrote them, compared aspect by aspect.

Plain data in, differences out: no torch, so that a verdict can be read and tested anywhere. What differences mean for a fix is left to
`verdict`.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

ASPECTS = (
    "value",
    "dtype",
    "shape",
    "strides",
    "offset",
    "device",
    "type",
    "requires_grad",
    "is_leaf",
    "gradient",
    "state_dict",
    "mode",
    "train",
    "eval",
    "aliasing",
    "printed",
    "random",
    "raised",
)
"""What can differ. `train` and `eval` are what modules do when they are called in that mode, `mode` is the mode that they were left in."""

Node = dict[str, Any]
"""A part of an observation: JSON, its `kind` says which."""


@dataclass(frozen=True, slots=True)
class Difference:
    aspect: str
    where: str
    before: str
    after: str
    size: float = 0.0
    """Of numbers: how far apart they are at most."""

    def __str__(self) -> str:
        return f"{self.aspect} of {self.where}: {self.before} became {self.after}"


@dataclass(frozen=True, slots=True)
class Comparison:
    differences: tuple[Difference, ...]
    tolerated: float = 0.0
    """The largest distance between two numbers that count as equal."""

    @property
    def largest(self) -> float:
        return max((self.tolerated, *(difference.size for difference in self.differences)))

    @property
    def aspects(self) -> frozenset[str]:
        return frozenset(difference.aspect for difference in self.differences)


@dataclass(frozen=True, slots=True)
class _Place:
    where: str
    aspect: str | None = None
    """Set where every difference below belongs to one aspect, such as all that a gradient is made of."""

    def at(self, step: str) -> _Place:
        return replace(self, where=self.where + step)

    def under(self, step: str, aspect: str) -> _Place:
        return _Place(self.where + step, self.aspect or aspect)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, path.split("*"))))


def is_at(where: str, path: str) -> bool:
    """Whether this place is the path, in which `*` stands for anything."""
    return _pattern(path).fullmatch(where) is not None


NOTHING: Mapping[str, Any] = {}


def compare(before: Node, after: Node, tolerances: Mapping[str, float] = NOTHING, stands_for: Mapping[str, str] = NOTHING) -> Comparison:
    """What is different in `after`. Floats at a path with a tolerance count as equal within it; everything else must be the same.

    `stands_for` names classes of `after` that are there in place of one of `before`.
    """
    comparing = _Comparing(tolerances, stands_for)
    return Comparison(tuple(comparing.observations(before, after)), comparing.tolerated)


class _Comparing:
    def __init__(self, tolerances: Mapping[str, float], stands_for: Mapping[str, str]) -> None:
        self.tolerances = tolerances
        self.stands_for = stands_for
        self.tolerated = 0.0

    def observations(self, before: Node, after: Node) -> Iterator[Difference]:
        first, second = _raised(before), _raised(after)
        if first or second:
            yield from self.same(first or "a result", second or "a result", _Place("the program", "raised"))
            return
        result = _Place("result")
        yield from self.nodes(before["result"], after["result"], result)
        yield from _aliasing(before["result"], after["result"])
        yield from self.same(before["printed"], after["printed"], _Place("the output", "printed"))
        for generator in {**before["random"], **after["random"]}:
            first, second = before["random"].get(generator), after["random"].get(generator)
            yield from self.same(first, second, _Place(f"the {generator} generator", "random"))

    def nodes(self, before: Node, after: Node, place: _Place) -> Iterator[Difference]:
        kinds = before["kind"], after["kind"]
        if kinds[0] != kinds[1]:
            yield Difference(place.aspect or "type", place.where, _brief(before), _brief(after))
            # One number in two guises, such as a loss before and after `.item()`: its value is still worth comparing.
            if set(kinds) <= {"tensor", "number"} and len(_numbers(before)) == len(_numbers(after)) == 1:
                yield from self.numbers(_numbers(before), _numbers(after), place)
            return
        if before["type"] not in (after["type"], self.stands_for.get(after["type"])):
            yield Difference(place.aspect or "type", place.where, before["type"], after["type"])
        if kinds[0] == "tensor":
            yield from self.tensors(before, after, place)
        elif kinds[0] == "number":
            yield from self.numbers(_numbers(before), _numbers(after), place)
        elif kinds[0] in ("plain", "mode"):
            yield from self.same(before["value"], after["value"], place, "mode" if kinds[0] == "mode" else "value")
        elif kinds[0] == "module":
            yield from self.modules(before, after, place)
        else:
            yield from self.children(before["items"], after["items"], place)

    def tensors(self, before: Node, after: Node, place: _Place) -> Iterator[Difference]:
        # Strides and offset say how the elements of one shape lie in memory; of another shape they say nothing new.
        lie = ["strides", "offset"] if before["shape"] == after["shape"] else []
        for aspect in ("dtype", "shape", *lie, "device", "requires_grad", "is_leaf"):
            yield from self.same(before[aspect], after[aspect], place, aspect)
        if len(_numbers(before)) == len(_numbers(after)):
            yield from self.numbers(_numbers(before), _numbers(after), place)
        first, second = before["grad"], after["grad"]
        gradient = place.under(".grad", "gradient")
        if first and second:
            yield from self.nodes(first, second, gradient)
        elif first or second:
            yield Difference("gradient", gradient.where, _brief(first), _brief(second))

    def modules(self, before: Node, after: Node, place: _Place) -> Iterator[Difference]:
        yield from self.children(before["state_dict"], after["state_dict"], place.under(".state_dict()", "state_dict"))
        yield from self.children(before["parameters"], after["parameters"], place.at(".parameters"), "state_dict")
        yield from self.children(before["buffers"], after["buffers"], place.at(".buffers"))
        yield from self.children(before["modes"], after["modes"], place.at(".modules"), "mode")
        for mode in ("train", "eval"):
            yield from self.children(before[mode], after[mode], place.under(f" in {mode} mode", mode))

    def children(self, before: list[list[Any]], after: list[list[Any]], place: _Place, names: str = "value") -> Iterator[Difference]:
        """Named parts, in order: first whether they go by the same names, then those that both have."""
        first, second = dict(before), dict(after)
        yield from self.same(list(first), list(second), place.at(" keys"), names)
        for name in first:
            if name in second:
                yield from self.nodes(first[name], second[name], place.at(f"[{name}]"))

    def same(self, before: object, after: object, place: _Place, aspect: str = "value") -> Iterator[Difference]:
        if before != after:
            yield Difference(place.aspect or aspect, place.where, _short(before), _short(after))

    def numbers(self, before: list[Any], after: list[Any], place: _Place) -> Iterator[Difference]:
        tolerance = max((size for path, size in self.tolerances.items() if is_at(place.where, path)), default=0.0)
        worst: tuple[float, int] | None = None
        for index, (first, second) in enumerate(zip(before, after, strict=True)):
            distance = self.distance(first, second, tolerance)
            if distance is not None and (worst is None or distance > worst[0]):
                worst = distance, index
        if worst is not None:
            size, index = worst
            yield Difference(place.aspect or "value", place.where, repr(before[index]), repr(after[index]), size)

    def distance(self, first: float, second: float, tolerance: float) -> float | None:
        """How far apart, or None if they count as equal. The sign of a zero counts: it is the sign of what is divided by it."""
        if math.isnan(first) or math.isnan(second):
            return None if math.isnan(first) and math.isnan(second) else math.inf
        if first == second:
            return None if math.copysign(1, first) == math.copysign(1, second) or tolerance else 0.0
        distance = abs(first - second)
        if isinstance(first, float) and isinstance(second, float) and distance <= tolerance * max(1.0, abs(first), abs(second)):
            self.tolerated = max(self.tolerated, distance)
            return None
        return distance


def _raised(observation: Node) -> str:
    return f"{observation['raised']}: {observation['message']}" if observation["raised"] else ""


def _aliasing(before: Node, after: Node) -> Iterator[Difference]:
    """Which of the tensors that both programs returned share memory."""
    first, second = dict(_storages(before, "result")), dict(_storages(after, "result"))
    common = first.keys() & second.keys()
    groups = [_groups(storages, common) for storages in (first, second)]
    for group in sorted(groups[0] ^ groups[1]):
        shared, apart = f"{' and '.join(group)} share memory", "they do not"
        texts = (shared, apart) if group in groups[0] else (apart, shared)
        yield Difference("aliasing", group[0], *texts)


def _groups(storages: dict[str, int], common: Iterable[str]) -> set[tuple[str, ...]]:
    members = defaultdict(list)
    for where in common:
        members[storages[where]].append(where)
    return {tuple(sorted(group)) for group in members.values() if len(group) > 1}


def _storages(node: Node, where: str) -> Iterator[tuple[str, int]]:
    if node["kind"] == "tensor":
        if node["storage"] is not None:
            yield where, node["storage"]
        if node["grad"]:
            yield from _storages(node["grad"], f"{where}.grad")
    for part in ("items", "state_dict", "parameters", "buffers"):
        for name, child in node.get(part, ()):
            yield from _storages(child, f"{where}[{name}]" if part == "items" else f"{where}.{part}[{name}]")


def _numbers(node: Node) -> list[Any]:
    return node["values"] or []


def _brief(node: Node | None) -> str:
    if node is None:
        return "none"
    if node["kind"] in ("tensor", "number") and len(_numbers(node)) == 1:
        return f"{node['type']} {_numbers(node)[0]!r}"
    return str(node["type"])


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

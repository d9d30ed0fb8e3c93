"""A scenario's text, what its constants say and its mutants, read without running any of it.

How to write one is told in `torchlint.sanity`; running it is left to `prove`.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torchlint.sanity.compare import ASPECTS, Difference, is_at

DEVICES = ("cpu", "cuda", "mps")
COSTS = ("bytes", "nodes", "waits", "copies", "kernels", "written")

MUTANTS = "mutants.py"
"""The wrong fixes, in a file beside the scenario."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and value >= 0


def _is_changes(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(path, str) and isinstance(aspects, tuple) and aspects and set(aspects) <= set(ASPECTS) for path, aspects in value.items()
    )


def _is_costs(value: object) -> bool:
    return isinstance(value, dict) and all(
        name in COSTS
        and (
            _is_number(left)
            or isinstance(left, tuple)
            and len(left) == 2
            and (left[0] is None or _is_number(left[0]))
            and _is_number(left[1])
        )
        for name, left in value.items()
    )


def _is_replacements(value: object) -> bool:
    """One pair of texts, or several."""
    return isinstance(value, tuple) and (
        len(value) == 2
        and all(isinstance(text, str) for text in value)
        or bool(value)
        and all(isinstance(pair, tuple) and _is_replacements(pair) for pair in value)
    )


_CHANGES = f"a dict from paths to tuples out of {', '.join(ASPECTS)}"

_VALID: dict[str, tuple[Callable[[Any], bool], str]] = {
    "TOLERANCE": (
        lambda value: isinstance(value, dict) and all(isinstance(size, float) and 0 < size < 0.1 for size in value.values()),
        "a dict from paths to small floats",
    ),
    "CHANGES": (_is_changes, _CHANGES),
    "UNSAFE_CHANGES": (_is_changes, _CHANGES),
    "COSTS": (_is_costs, f"a dict from {', '.join(COSTS)} to what is left per step, or to a pair: by the safe fixes, and by all"),
    "STEPS": (lambda value: isinstance(value, tuple) and len(value) == 2 and 0 < value[0] < value[1], "two numbers, the smaller one first"),
    "DEVICES": (
        lambda value: isinstance(value, tuple) and bool(value) and set(value) <= set(DEVICES),
        f"a tuple out of {', '.join(DEVICES)}",
    ),
    "RAISES": (lambda value: isinstance(value, str), "the name of an exception"),
    "STANDS_FOR": (
        lambda value: isinstance(value, dict) and all(isinstance(name, str) for pair in value.items() for name in pair),
        "a dict from classes of the reference to the program's own",
    ),
}
"""What each constant may be, and how that is told."""


class ScenarioError(Exception):
    """The scenario itself is written wrongly; the message says how."""


@dataclass(frozen=True, slots=True)
class Scenario:
    path: Path
    text: str
    has_reference: bool = False
    has_example: bool = False
    tolerances: Mapping[str, float] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    unsafe_changes: tuple[Change, ...] = ()
    costs: Mapping[str, tuple[float | None, float]] = field(default_factory=dict)
    """What may be left of each per step, by the safe fixes alone (None: they promise nothing) and by all of them."""
    steps: tuple[int, int] = (4, 12)
    devices: tuple[str, ...] = DEVICES
    raises: str | None = None
    stands_for: Mapping[str, str] = field(default_factory=dict)
    reference_rows: range = range(0)
    """The rows of `reference`, in which the linter must find nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """That the place at a path may, and must, change in this aspect."""

    path: str
    aspect: str

    def __str__(self) -> str:
        return f"{self.aspect} of {self.path}"

    def covers(self, difference: Difference) -> bool:
        return difference.aspect == self.aspect and is_at(difference.where, self.path)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong fix: what is replaced in the text that the fixer wrote, wherever it stands there."""

    name: str
    replacements: tuple[tuple[str, str], ...]

    def apply(self, text: str) -> str | None:
        """The fix gone wrong; None where the text does not hold everything that is to be replaced."""
        for old, new in self.replacements:
            if old not in text:
                return None
            text = text.replace(old, new)
        return text


def read(path: Path) -> Scenario:
    """The scenario in this file."""
    return parse(path.read_text(encoding="utf-8"), path)


def parse(text: str, path: Path = Path("scenario.py")) -> Scenario:
    """The scenario in this text; `ScenarioError` if its author erred."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ScenarioError(f"line {error.lineno}: {error.msg}") from None
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if "program" not in functions:
        raise ScenarioError("it has no function program(device)")
    constants = _constants(tree)
    if constants.get("COSTS") and "steps" not in {argument.arg for argument in functions["program"].args.args}:
        raise ScenarioError("COSTS are counted per step, so program(device, steps=...) must take steps")
    reference = functions.get("reference")
    return Scenario(
        path=path,
        text=text,
        has_reference=reference is not None,
        has_example="example" in functions,
        tolerances=constants.get("TOLERANCE", {}),
        changes=_changes(constants.get("CHANGES", {})),
        unsafe_changes=_changes(constants.get("UNSAFE_CHANGES", {})),
        costs={name: left if isinstance(left, tuple) else (left, left) for name, left in constants.get("COSTS", {}).items()},
        steps=constants.get("STEPS", (4, 12)),
        devices=constants.get("DEVICES", DEVICES),
        raises=constants.get("RAISES"),
        stands_for=constants.get("STANDS_FOR", {}),
        reference_rows=range(reference.lineno, (reference.end_lineno or reference.lineno) + 1) if reference else range(0),
    )


def _changes(given: Mapping[str, tuple[str, ...]]) -> tuple[Change, ...]:
    return tuple(Change(path, aspect) for path, aspects in given.items() for aspect in aspects)


def mutants(path: Path) -> tuple[Mutant, ...]:
    """The wrong fixes in this file, none if there is no file; `ScenarioError` if its author erred."""
    return parse_mutants(path.read_text(encoding="utf-8")) if path.is_file() else ()


def parse_mutants(text: str) -> tuple[Mutant, ...]:
    try:
        given = next(
            ast.literal_eval(node.value)
            for node in ast.parse(text).body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "MUTANTS"
        )
    except (SyntaxError, ValueError, StopIteration):
        raise ScenarioError(f"{MUTANTS} must assign a literal to MUTANTS") from None
    if not isinstance(given, dict) or not all(isinstance(name, str) and _is_replacements(value) for name, value in given.items()):
        raise ScenarioError(
            "MUTANTS must be a dict from what is wrong to a pair of texts, or to a tuple of pairs: the old one and the new one"
        )
    return tuple(Mutant(name, (value,) if isinstance(value[0], str) else value) for name, value in given.items())


def _constants(tree: ast.Module) -> dict[str, Any]:
    """The scenario's own constants, each checked; other capital names are the program's business, unless they look misspelt."""
    found: dict[str, Any] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if name not in _VALID:
            near = difflib.get_close_matches(name, _VALID, n=1, cutoff=0.85) if name.isupper() else []
            if near:
                raise ScenarioError(f"line {node.lineno}: {name} means nothing here; is it {near[0]}?")
            continue
        try:
            value = ast.literal_eval(node.value)
        except ValueError:
            raise ScenarioError(f"line {node.lineno}: {name} must be a literal") from None
        valid, wanted = _VALID[name]
        if not valid(value):
            raise ScenarioError(f"line {node.lineno}: {name} must be {wanted}")
        found[name] = value
    return found

"""A scenario's text and what its constants say, read without running it.

How to write one is told in `torchlint.sanity`; running it is left to `prove`.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torchlint.sanity.compare import ASPECTS

DEVICES = ("cpu", "cuda", "mps")
MEASURES = ("kept", "waits", "copies", "time")


def _is_names(value: object, known: tuple[str, ...]) -> bool:
    return isinstance(value, tuple) and bool(value) and all(name in known for name in value)


_VALID: dict[str, tuple[Callable[[Any], bool], str]] = {
    "TOLERANCE": (lambda value: isinstance(value, float) and 0 <= value < 0.1, "a small float"),
    "CHANGES": (lambda value: _is_names(value, ASPECTS), f"a tuple out of {', '.join(ASPECTS)}"),
    "MEASURE": (lambda value: _is_names(value, MEASURES), f"a tuple out of {', '.join(MEASURES)}"),
    "STEPS": (lambda value: isinstance(value, tuple) and len(value) == 2 and 0 < value[0] < value[1], "two numbers, the smaller one first"),
    "DEVICES": (lambda value: _is_names(value, DEVICES), f"a tuple out of {', '.join(DEVICES)}"),
    "RAISES": (lambda value: isinstance(value, str), "the name of an exception"),
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
    tolerance: float = 0.0
    changes: frozenset[str] = frozenset()
    measure: tuple[str, ...] = ()
    steps: tuple[int, int] = (8, 24)
    devices: tuple[str, ...] = DEVICES
    raises: str | None = None
    reference_rows: range = range(0)
    """The rows of `reference`, in which the linter must find nothing."""


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
    measure = constants.get("MEASURE", ())
    if measure and "steps" not in {argument.arg for argument in functions["program"].args.args}:
        raise ScenarioError("MEASURE counts per step, so program(device, steps=...) must take steps")
    reference = functions.get("reference")
    return Scenario(
        path=path,
        text=text,
        has_reference=reference is not None,
        has_example="example" in functions,
        tolerance=float(constants.get("TOLERANCE", 0.0)),
        changes=frozenset(constants.get("CHANGES", ())),
        measure=measure,
        steps=constants.get("STEPS", (8, 24)),
        devices=constants.get("DEVICES", DEVICES),
        raises=constants.get("RAISES"),
        reference_rows=range(reference.lineno, (reference.end_lineno or reference.lineno) + 1) if reference else range(0),
    )


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

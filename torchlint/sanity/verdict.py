"""What the observations of a trial's programs mean for the fix. Pure: `prove` runs the programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from torchlint.edits import Effect
from torchlint.sanity.compare import Comparison, Difference, compare
from torchlint.sanity.scenario import Scenario, ScenarioError


class Verdict(Enum):
    PROVEN = "proven"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Trial:
    """One scenario and what the fixer made of it, ready to be run on any device."""

    code: str
    name: str
    effect: Effect
    scenario: Scenario
    fixed: str | None
    """None where the fix is only shown; the reference then stands for what it says to write."""

    def __post_init__(self) -> None:
        needed = self.fixed is None or self.effect is Effect.REPAIRS
        if needed and not self.scenario.has_reference:
            raise ScenarioError("it has no function reference(device), and nothing else says what the program should do")
        if not needed and self.scenario.has_reference:
            raise ScenarioError("the fix keeps the program, so nothing compares it with reference(device)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one rule on one device."""

    code: str
    name: str
    device: str
    verdict: Verdict
    reason: str = ""
    effect: Effect | None = None
    largest: float | None = None
    """The largest distance between numbers that had to be equal."""
    changed: tuple[str, ...] = ()
    """The aspects in which the mistake showed: evidence that the scenario can tell two programs apart."""
    differences: tuple[Difference, ...] = ()
    """Those that refute the fix."""
    costs: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Per step, with the mistake and without."""


JUDGED = {"kept": ("bytes", "nodes"), "waits": ("waits",), "copies": ("copies",)}
"""The costs behind each measure: none may rise, one must fall. `time` is not among them: it depends on what else the machine does."""


def judge(trial: Trial, device: str, observed: dict[str, dict[str, Any]]) -> Outcome:
    """The verdict. `observed` holds what the child wrote of `original`, `fixed` and `reference`, as far as the trial has them."""
    for role, observation in observed.items():
        trouble = _trouble(role, observation, trial.scenario)
        if trouble:
            return Outcome(trial.code, trial.name, device, Verdict.FAILED, trouble, trial.effect)
    reason, comparison, changed = _equality(trial, observed)
    without = observed["reference" if trial.fixed is None else "fixed"]["costs"]
    costs = {name: (cost, without[name]) for name, cost in observed["original"]["costs"].items() if name in without}
    reason = reason or _gain(trial.scenario.measure, costs)
    return Outcome(
        code=trial.code,
        name=trial.name,
        device=device,
        verdict=Verdict.FAILED if reason else Verdict.PROVEN,
        reason=reason,
        effect=trial.effect,
        largest=comparison.largest,
        changed=tuple(sorted(changed)),
        differences=comparison.differences if reason else (),
        costs=costs,
    )


ROLES = {"original": "the program with the mistake", "fixed": "the fixed program", "reference": "the reference"}


def _trouble(role: str, observation: dict[str, Any], scenario: Scenario) -> str:
    """Why this program cannot be compared at all."""
    if observation["unusable"]:
        return f"{ROLES[role]}: {observation['unusable']}"
    expected = scenario.raises if role == "original" else None
    if observation["raised"] == expected:
        return ""
    if observation["raised"] is None:
        return f"{ROLES[role]} was to raise {expected} and did not"
    return f"{ROLES[role]} raised {observation['trace'].strip().splitlines()[-1]}"


def _equality(trial: Trial, observed: dict[str, dict[str, Any]]) -> tuple[str, Comparison, frozenset[str]]:
    """What refutes the fix, if anything; the comparison that had to be equal; the aspects in which the mistake showed."""
    tolerance, expected = trial.scenario.tolerance, trial.scenario.changes
    if trial.effect is Effect.REPAIRS and trial.fixed is not None:
        mistake = compare(observed["original"], observed["reference"], tolerance)
        comparison = compare(observed["fixed"], observed["reference"], tolerance)
        unexpected = comparison.differences
        if not mistake.differences:
            return "the mistake makes no difference: the program equals its reference", comparison, mistake.aspects
        told = "the fixed program is not the reference"
    else:
        mistake = comparison = compare(observed["original"], observed["fixed" if trial.fixed is not None else "reference"], tolerance)
        unexpected = tuple(difference for difference in comparison.differences if difference.aspect not in expected)
        told = "the fix changes the program" if trial.fixed is not None else "the reference is not the program"
    missing = expected - mistake.aspects
    if unexpected:
        reason = f"{told}: {unexpected[0]}"
        comparison = Comparison(unexpected, comparison.largest)
    elif missing:
        reason = f"the scenario says that the mistake changes {', '.join(sorted(missing))}, and it does not"
    else:
        reason = ""
    return reason, comparison, mistake.aspects


def _gain(measures: tuple[str, ...], costs: dict[str, tuple[float, float]]) -> str:
    """What is wrong with the gain that the rule promises, if anything."""
    for measure in measures:
        judged = [costs[name] for name in JUDGED.get(measure, ())]
        if judged and not any(without < mistake for mistake, without in judged):
            return f"the fix does not lower {measure}: {_pairs(judged)} per step"
        if any(without > mistake for mistake, without in judged):
            return f"the fix raises {measure}: {_pairs(judged)} per step"
    return ""


def _pairs(judged: list[tuple[float, float]]) -> str:
    return ", ".join(f"{mistake:g} became {without:g}" for mistake, without in judged)

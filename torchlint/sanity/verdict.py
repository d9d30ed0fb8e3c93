"""What the observations of a trial's programs mean for the fix. Pure: `trials` runs the programs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from torchlint.edits import Applicability, Effect
from torchlint.sanity.compare import Comparison, Difference, compare
from torchlint.sanity.scenario import Change, Scenario, ScenarioError


class Verdict(Enum):
    PROVEN = "proven"
    REFERENCE_ONLY = "reference only"
    """Two programs written by hand are equal; the fix, which is only shown, was not run."""
    FAILED = "failed"
    REFUTED = "refuted"
    """Of a mutant: it was found out, as it should be."""
    SURVIVED = "survived"
    """Of a mutant: it passed for a proven fix."""
    SKIPPED = "skipped"


FAILURES = (Verdict.FAILED, Verdict.SURVIVED)


@dataclass(frozen=True, slots=True)
class Trial:
    """One scenario and what the fixer made of it with fixes up to one grade, ready to be run on any device."""

    code: str
    name: str
    effect: Effect
    scenario: Scenario
    fixed: str | None
    """None where the fix is only shown and cannot be run; the reference then stands for what it says to write."""
    grade: Applicability = Applicability.SAFE
    mutant: str = ""
    """What is wrong with the fix, where it was made wrong on purpose."""

    def __post_init__(self) -> None:
        needed = self.fixed is None or self.effect is Effect.REPAIRS
        if needed and not self.scenario.has_reference:
            raise ScenarioError("it has no function reference(device), and nothing else says what the program should do")
        if not needed and self.scenario.has_reference:
            raise ScenarioError("the fix keeps the program, so nothing compares it with reference(device)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one rule's fixes of one grade on one device."""

    code: str
    name: str
    device: str
    verdict: Verdict
    reason: str = ""
    effect: Effect | None = None
    grade: Applicability | None = None
    mutant: str = ""
    largest: float | None = None
    """The largest distance between numbers that had to be equal."""
    changed: tuple[str, ...] = ()
    """The aspects in which the mistake showed: evidence that the scenario can tell two programs apart."""
    differences: tuple[Difference, ...] = ()
    """Those that refute the fix."""
    costs: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Per step, with the mistake and without."""
    patch: tuple[str, ...] = ()
    """What the fixer changed in the scenario, as the rows of a unified diff without its header."""


def judge(trial: Trial, device: str, observed: dict[str, dict[str, Any]]) -> Outcome:
    """The verdict. `observed` holds what the child wrote of `original`, `fixed` and `reference`, as far as the trial has them."""
    for role, observation in observed.items():
        trouble = _trouble(role, observation, trial)
        if trouble:
            # Only the fixed program's trouble says anything about a mutant.
            verdict = Verdict.REFUTED if trial.mutant and role == "fixed" else Verdict.FAILED
            return _outcome(trial, device, verdict, trouble)
    reason, comparison, changed = _equality(trial, observed)
    without = observed["reference" if trial.fixed is None else "fixed"]["costs"]
    costs = {
        name: (cost, without[name])
        for name, cost in observed["original"]["costs"].items()
        if name in without and (name not in _ON_REQUEST or name in trial.scenario.costs)
    }
    reason = reason or _gain(trial, costs)
    if trial.mutant:
        verdict = Verdict.REFUTED if reason else Verdict.SURVIVED
    elif reason:
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.PROVEN if trial.fixed is not None else Verdict.REFERENCE_ONLY
    return _outcome(
        trial,
        device,
        verdict,
        reason,
        largest=comparison.largest,
        changed=tuple(sorted(changed)),
        differences=comparison.differences if reason else (),
        costs=costs,
    )


_ON_REQUEST = ("kernels", "written")
"""Costs that nearly every fix changes by a little, and few are about."""


def skipped(trial: Trial, device: str, reason: str) -> Outcome:
    return _outcome(trial, device, Verdict.SKIPPED, reason)


def _outcome(trial: Trial, device: str, verdict: Verdict, reason: str, **seen: Any) -> Outcome:
    patch = _patch(trial.scenario.text, trial.fixed)
    return Outcome(trial.code, trial.name, device, verdict, reason, trial.effect, trial.grade, trial.mutant, patch=patch, **seen)


def _patch(before: str, after: str | None) -> tuple[str, ...]:
    return () if after is None else tuple(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))[2:]


ROLES = {"original": "the program with the mistake", "fixed": "the fixed program", "reference": "the reference"}


def _trouble(role: str, observation: dict[str, Any], trial: Trial) -> str:
    """Why this program cannot be compared at all."""
    if observation["unusable"]:
        return f"{ROLES[role]}: {observation['unusable']}"
    # A fix that keeps the program keeps its exception; a repair is there to be rid of it.
    may_raise = role == "original" or trial.effect is Effect.KEEPS
    expected = trial.scenario.raises if may_raise else None
    if observation["raised"] == expected:
        return ""
    if observation["raised"] is None:
        return f"{ROLES[role]} was to raise {expected} and did not"
    return f"{ROLES[role]} raised {observation['trace'].strip().splitlines()[-1]}"


def _equality(trial: Trial, observed: dict[str, dict[str, Any]]) -> tuple[str, Comparison, frozenset[str]]:
    """What refutes the fix, if anything; the comparison that had to be equal; the aspects in which the mistake showed."""
    scenario, original = trial.scenario, observed["original"]
    if trial.effect is not Effect.REPAIRS or trial.fixed is None:
        other, told = (
            ("fixed", "the fix changes the program") if trial.fixed is not None else ("reference", "the reference is not the program")
        )
        comparison = compare(original, observed[other], scenario.tolerances, scenario.stands_for)
        allowed = scenario.changes if trial.grade is Applicability.SAFE else (*scenario.changes, *scenario.unsafe_changes)
        reason, unexpected = _account(comparison, allowed, told)
        return reason, replace(comparison, differences=unexpected), comparison.aspects
    reference = observed["reference"]
    mistake = compare(original, reference, scenario.tolerances, scenario.stands_for)
    comparison = compare(observed["fixed"], reference, scenario.tolerances, scenario.stands_for)
    if not mistake.differences:
        return "the mistake makes no difference: the program equals its reference", comparison, mistake.aspects
    reason, _ = _account(mistake, (*scenario.changes, *scenario.unsafe_changes), "the reference changes what the scenario does not name")
    # The safe fixes leave what only unsafe ones repair.
    left = scenario.unsafe_changes if trial.grade is Applicability.SAFE else ()
    wrong, unexpected = _account(comparison, left, "the fixed program is not the reference")
    return wrong or reason, replace(comparison, differences=unexpected), mistake.aspects


def _account(comparison: Comparison, changes: Sequence[Change], told: str) -> tuple[str, tuple[Difference, ...]]:
    """What is wrong where these changes, all of them and no others, were to be found; and the differences that none of them covers."""
    unexpected = tuple(each for each in comparison.differences if not any(change.covers(each) for change in changes))
    if unexpected:
        return f"{told}: {unexpected[0]}", unexpected
    for change in changes:
        if not any(change.covers(difference) for difference in comparison.differences):
            return f"the scenario says that there is a change of the {change}, and there is none", ()
    return "", ()


def _gain(trial: Trial, costs: dict[str, tuple[float, float]]) -> str:
    """What is wrong with the gain that the rule's page promises, if anything."""
    part = 0 if trial.grade is Applicability.SAFE else 1
    promised = {name: most for name, limits in trial.scenario.costs.items() if (most := limits[part]) is not None}
    for name, most in promised.items():
        if costs[name][1] > most:
            return f"the fix leaves {costs[name][1]:g} {name} per step of {costs[name][0]:g}, and the page promises {most:g}"
    if promised and not any(costs[name][0] > most for name, most in promised.items()):
        return "the mistake costs no more than the page promises of the fix: " + ", ".join(
            f"{costs[name][0]:g} {name}" for name in promised
        )
    if "waits" in promised and "synchronisations" in costs:
        # CUDA counts more than we do, such as a copy out of memory that is not pinned; but what we say is gone must be gone there too.
        (waits, waits_left), (seen, seen_left) = costs["waits"], costs["synchronisations"]
        if seen - seen_left < waits - waits_left:
            return f"CUDA saw {seen:g} synchronisations per step become {seen_left:g}, while {waits:g} waits became {waits_left:g}"
    return ""

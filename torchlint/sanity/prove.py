"""From a rule to its verdicts: what the real linter and the real fixer make of its scenario, and what running that shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from torchlint import rulebook
from torchlint.diagnostic import Diagnostic
from torchlint.edits import Applicability, Effect
from torchlint.engine import Fixed, fix, lint
from torchlint.rule import Rule, load_rules
from torchlint.sanity import trials
from torchlint.sanity.scenario import MUTANTS, Mutant, Scenario, ScenarioError, mutants, read
from torchlint.sanity.verdict import Outcome, Trial, Verdict, skipped
from torchlint.settings import Settings

SAFE, UNSAFE, DISPLAY = Applicability.SAFE, Applicability.UNSAFE, Applicability.DISPLAY
_EVERY_GRADE: Mapping[str, Applicability] = {}


def rules(
    selected: Sequence[Rule],
    machine: trials.Machine,
    kinds: Sequence[str],
    *,
    mutants: bool,
    workers: int,
    least: Mapping[str, Applicability] = _EVERY_GRADE,
) -> Iterator[Outcome]:
    """Every rule on these kinds of device: first those that leave nothing to run, then the others as they are judged.

    With `mutants` it is not the fixer's text that runs but what was made of it to be refuted. `least` names the least grade that is run.
    """
    prepared: list[Trial] = []
    for rule in selected:
        folder = rulebook.fixtures(rule)
        try:
            found = [each for each in prepare(rule, folder / "scenario.py") if each.grade >= least.get(rule.code, DISPLAY)]
            prepared += mutate(found, folder / MUTANTS) if mutants else found
        except ScenarioError as error:
            yield Outcome(rule.code, rule.name, "", Verdict.FAILED, str(error), rule.effect)
    yield from trials.run(prepared, [kind for kind in kinds if kind in machine.present], workers=workers)
    for trial in prepared:
        for kind in kinds:
            if kind in machine.absent:
                yield skipped(trial, kind, machine.absent[kind])


def objection(outcomes: Sequence[Outcome]) -> str | None:
    """Why these, all outcomes of one rule, prove nothing; None if the fixes of each grade are proven on one device and fail on none."""
    for outcome in outcomes:
        if outcome.verdict is Verdict.FAILED:
            return f"{outcome.reason} (on {outcome.device})" if outcome.device else outcome.reason
    for grade in dict.fromkeys(each.grade for each in outcomes):
        found = [each for each in outcomes if each.grade is grade]
        if not any(each.verdict is Verdict.PROVEN for each in found):
            return "; ".join(dict.fromkeys(each.reason or "only programs written by hand were compared" for each in found))
    return None if outcomes else "it has no scenario for these fixes"


def runnable(kinds: Sequence[str]) -> dict[str, int]:
    """How many rules have a scenario for each of these kinds of device."""
    paths = (rulebook.fixtures(rule) / "scenario.py" for rule in load_rules() if rule.fix is not None)
    scenarios = [read(path) for path in paths if path.is_file()]
    return {kind: sum(kind in each.devices for each in scenarios) for kind in kinds}


def prepare(rule: Rule, path: Path) -> list[Trial]:
    """The rule's scenario, linted and fixed by this rule alone: once by its safe fixes, once by all that are applied, or as it is shown.

    `ScenarioError` where that leaves nothing to prove.
    """
    if not path.is_file():
        raise ScenarioError("it has no scenario")
    scenario = read(path)
    _lint(rule, scenario)
    effect = rule.effect or Effect.KEEPS
    safe, unsafe = _fix(rule, scenario.text, path, SAFE), _fix(rule, scenario.text, path, UNSAFE)
    if rule.fix is DISPLAY:
        if unsafe.text != scenario.text:
            raise ScenarioError("the fix is to be shown only, and was applied")
        if scenario.has_reference:
            return [Trial(rule.code, rule.name, effect, scenario, None, DISPLAY)]
        shown = _fix(rule, scenario.text, path, DISPLAY)
        _finish(scenario, shown, path)
        return [Trial(rule.code, rule.name, effect, scenario, shown.text, DISPLAY)]
    _finish(scenario, unsafe, path)
    if rule.fix is SAFE and safe.text == scenario.text:
        raise ScenarioError("none of the fixes in it is safe, and the rule's can be")
    if scenario.unsafe_changes and unsafe.text == safe.text:
        raise ScenarioError("none of the fixes in it is unsafe, so UNSAFE_CHANGES mean nothing")
    applied = [(SAFE, safe.text, scenario.text), (UNSAFE, unsafe.text, safe.text)]
    return [Trial(rule.code, rule.name, effect, scenario, text, grade) for grade, text, below in applied if text != below]


def mutate(prepared: Sequence[Trial], path: Path) -> list[Trial]:
    """Each of the rule's wrong fixes as a trial of its own, at the freest grade whose text can go wrong that way."""
    wrong = mutants(path)
    if not wrong:
        raise ScenarioError(f"it has no {MUTANTS}, so nothing shows that its proof can fail")
    return [_mutant(each, prepared) for each in wrong]


def _mutant(mutant: Mutant, prepared: Sequence[Trial]) -> Trial:
    for trial in reversed(prepared):
        if trial.fixed is not None:
            changed = mutant.apply(trial.fixed)
            if changed not in (None, trial.fixed):
                return replace(trial, fixed=changed, mutant=mutant.name)
    raise ScenarioError(f"the mutant `{mutant.name}` changes nothing in the fixed text")


def _lint(rule: Rule, scenario: Scenario) -> None:
    findings = lint(scenario.text, Settings(select=(rule.code,)), path=str(scenario.path))
    if not findings:
        raise ScenarioError("the linter finds nothing in the scenario")
    for finding in findings:
        if finding.code != rule.code:
            raise ScenarioError(_at(finding))
        if finding.location.row in scenario.reference_rows:
            raise ScenarioError(f"line {finding.location.row}: the linter finds the mistake in the reference too")


def _fix(rule: Rule, text: str, path: Path, applicability: Applicability) -> Fixed:
    return fix(text, Settings(select=(rule.code,)), path=str(path), applicability=applicability)


def _finish(scenario: Scenario, fixed: Fixed, path: Path) -> None:
    """That the fixes did something, left nothing to do, and brought nothing new."""
    if fixed.text == scenario.text:
        raise ScenarioError("the fixer changes nothing")
    if fixed.remaining:
        raise ScenarioError(f"line {fixed.remaining[0].location.row} of the fixed text: still {fixed.remaining[0].message}")
    before, after = ({finding.code for finding in lint(text, Settings(), path=str(path))} for text in (scenario.text, fixed.text))
    if after - before:
        raise ScenarioError(f"the fix brings new findings: {', '.join(sorted(after - before))}")


def _at(finding: Diagnostic) -> str:
    return f"line {finding.location.row}: {finding.code} {finding.message}"

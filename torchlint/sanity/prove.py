"""From a rule to its verdict: what the real linter and the real fixer make of its scenario, and what running that shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from torchlint import rulebook
from torchlint.edits import Applicability, Effect
from torchlint.engine import fix, lint
from torchlint.rule import Rule
from torchlint.sanity import trials
from torchlint.sanity.scenario import ScenarioError, read
from torchlint.sanity.verdict import Outcome, Trial, Verdict
from torchlint.settings import Settings


def rules(selected: Sequence[Rule], machine: trials.Machine, kinds: Sequence[str], *, workers: int) -> Iterator[Outcome]:
    """Every rule on these kinds of device: first those that leave nothing to run, then the others as they are judged."""
    prepared: list[Trial] = []
    for rule in selected:
        try:
            prepared.append(prepare(rule, rulebook.fixtures(rule) / "scenario.py"))
        except ScenarioError as error:
            yield Outcome(rule.code, rule.name, "", Verdict.FAILED, str(error), rule.effect)
    yield from trials.run(prepared, [kind for kind in kinds if kind in machine.present], workers=workers)
    for trial in prepared:
        for kind in kinds:
            if kind in machine.absent:
                yield Outcome(trial.code, trial.name, kind, Verdict.SKIPPED, machine.absent[kind], trial.effect)


def prepare(rule: Rule, path: Path) -> Trial:
    """The rule's scenario, linted and fixed by this rule alone; `ScenarioError` where that leaves nothing to prove."""
    if not path.is_file():
        raise ScenarioError("it has no scenario")
    scenario = read(path)
    alone = Settings(select=(rule.code,))
    findings = lint(scenario.text, alone, path=str(path))
    if not findings:
        raise ScenarioError("the linter finds nothing in the scenario")
    for finding in findings:
        if finding.code != rule.code:
            raise ScenarioError(f"line {finding.location.row}: {finding.code} {finding.message}")
        if finding.location.row in scenario.reference_rows:
            raise ScenarioError(f"line {finding.location.row}: the linter finds the mistake in the reference too")
    effect = rule.effect or Effect.KEEPS
    result = fix(scenario.text, alone, path=str(path), applicability=Applicability.UNSAFE)
    changed = result.text != scenario.text
    if rule.fix is Applicability.DISPLAY:
        if changed:
            raise ScenarioError("the fix is to be shown only, and was applied")
        return Trial(rule.code, rule.name, effect, scenario, None)
    if not changed:
        raise ScenarioError("the fixer changes nothing")
    if result.remaining:
        raise ScenarioError(f"line {result.remaining[0].location.row} of the fixed text: still {result.remaining[0].message}")
    before, after = ({finding.code for finding in lint(text, Settings(), path=str(path))} for text in (scenario.text, result.text))
    if after - before:
        raise ScenarioError(f"the fix brings new findings: {', '.join(sorted(after - before))}")
    return Trial(rule.code, rule.name, effect, scenario, result.text)

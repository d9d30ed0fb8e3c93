"""`torchlint check --prove`: which fixes a run may apply, because running their rules' scenarios shows here that they do what they say."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchlint.output.excerpt import visible
from torchlint.run.many import Outcome, check_all
from torchlint.settings import Settings

if TYPE_CHECKING:
    from torchlint.edits import Applicability
    from torchlint.rule import Rule
    from torchlint.run.one import Task
    from torchlint.sanity import verdict
    from torchlint.sanity.trials import Machine

Files = Sequence[tuple[Path, Settings, int]]
Proofs = Callable[["Mapping[Rule, Applicability]"], "Mapping[str, str | None]"]
"""From rules, each with the least grade of its fixes that is wanted, to what speaks against each: None if nothing does."""


def check_torch() -> None:
    if importlib.util.find_spec("torch") is None:
        raise click.ClickException('this runs torch, which is not installed: pip install "torchlint[sanity]"')


def machine() -> Machine:
    """What there is to run on."""
    from torchlint.sanity import trials
    from torchlint.sanity.processes import ChildFailedError

    try:
        return trials.machine()
    except ChildFailedError as error:
        raise click.ClickException(f"torch cannot be used here: {error} (`torchlint doctor` examines it)") from None


def watched(proofs: Iterator[verdict.Outcome]) -> list[verdict.Outcome]:
    """All outcomes, and a sign of life while they come."""
    if not sys.stderr.isatty():
        return list(proofs)
    with click.progressbar(proofs, label="Proving", file=sys.stderr) as progress:
        return list(progress)


def proofs(jobs: int) -> Proofs:
    """Run the scenarios of the rules on every device that is here."""
    from torchlint.sanity import prove

    def run(wanted: Mapping[Rule, Applicability]) -> dict[str, str | None]:
        here = machine()
        least = {rule.code: grade for rule, grade in wanted.items()}
        found = watched(prove.rules(list(wanted), here, tuple(here.present), mutants=False, workers=jobs, least=least))
        return {code: prove.objection([each for each in found if each.code == code]) for code in least}

    return run


def proven(work: Files, task: Task, jobs: int, prove: Proofs) -> list[tuple[Path, Settings, int]]:
    """The same files, under settings by which no fix is applied that was not proven; says which are refused.

    Where one fix is refused, another may be applied in its place, so the files are gone through until nothing new would be.
    """
    objections: dict[str, str | None] = {}
    while fresh := {code for code in _applied(work, task, jobs) if code not in objections}:
        wanted = {rule: _least(rule, task, work) for rule in _rules(fresh)}
        objections |= prove(wanted)
        refused = tuple(sorted(code for code in fresh if objections[code] is not None))
        for code in refused:
            click.echo(f"torchlint: {code}: not proven here: {visible(str(objections[code]))}", err=True)
        if not refused:
            break
        work = [(path, replace(settings, unfixable=(*settings.unfixable, *refused)), size) for path, settings, size in work]
    return list(work)


def _applied(work: Files, task: Task, jobs: int) -> set[str]:
    """The rules whose fixes would be applied."""
    from torchlint.run.one import Mode

    outcome = Outcome()
    check_all(work, replace(task, mode=Mode.DIFF), outcome, jobs=jobs, advance=lambda: None)
    return {fixed.code for report in outcome.reports for fixed in report.fixed}


def _rules(codes: set[str]) -> list[Rule]:
    from torchlint.selection import all_rules

    return [rule for rule in all_rules() if rule.code in codes]


def _least(rule: Rule, task: Task, work: Files) -> Applicability:
    """The least grade of the rule's fixes that the run applies: settings may call unsafe ones safe."""
    from torchlint.edits import Applicability
    from torchlint.selection import fix_applicability

    promoted = any(
        fix_applicability(each, rule, Applicability.UNSAFE) is Applicability.SAFE for each in {settings for _, settings, _ in work}
    )
    return Applicability.UNSAFE if promoted else task.applicability


def check_template() -> None:
    """Say at once what would fail after all the work."""
    from torchlint.output.html_page import check_extra
    from torchlint.settings import SettingsError

    try:
        check_extra()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None

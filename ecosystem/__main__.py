"""`python -m ecosystem`: `run`, `files`, `fix-check`, `pin` and `judge`."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import click

from ecosystem import fixing, pins, report, sampling, state, tables, verdicts
from ecosystem.figures import per_rule
from ecosystem.linting import Result, lint_all, mark
from ecosystem.mirror import Unavailable, newest, tree
from ecosystem.pins import FRESH, Pin
from ecosystem.places import Place, found
from ecosystem.scope import Scope, scoped
from torchlint.run.many import MENTION

SHOWN = ("unread", *verdicts.LABELS, "appeared", "disappeared")


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (tables.TableError, Unavailable) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Judge torchlint by pinned public repositories."""


def _linted(scope: Scope, chosen: Sequence[Pin]) -> list[Result]:
    def tell(result: Result) -> None:
        click.echo(f"{result.pin.repository}: {result.outcome}, {len(result.findings)} findings, {result.seconds:.0f} s", err=True)

    return lint_all(chosen, scope.directories(), scope.cache, jobs=scope.jobs, timeout=scope.timeout, done=tell)


@main.command()
@click.option("--rule", "rules", multiple=True, help="Only findings of this rule.")
@click.option("--update", is_flag=True, help="Write the state: what is found now is what the next run is compared with.")
@click.option("--show", multiple=True, type=click.Choice(SHOWN), help="List these places.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Draw N unread findings of each rule, for reading.")
@click.option("--seed", type=int, default=0, show_default=True, help="What the sample is drawn by.")
@click.option("--context", type=click.IntRange(min=0), default=8, show_default=True, help="Rows of source around what is drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@scoped
def run(
    scope: Scope,
    rules: tuple[str, ...],
    update: bool,
    show: tuple[str, ...],
    sample: int | None,
    seed: int,
    context: int,
    as_json: bool,
) -> None:
    """Lint the pinned commits, and print figures per rule and what has changed.

    Exits with 1 if a repository could not be linted or torchlint failed on a file.
    """
    chosen = scope.pins()
    results = _linted(scope, chosen)
    held, stale = verdicts.located(verdicts.read(scope.verdicts_file), results)
    places = {place: mark for result in results if result.is_done for place, mark in found(result).items()}
    before = state.read(scope.state_folder)
    changes = state.changes(before, results)
    if rules:
        held = {place: verdict for place, verdict in held.items() if place.rule in rules}
        places = {place: mark for place, mark in places.items() if place.rule in rules}
    groups: dict[str, list[Place]] = {
        "unread": [place for place in places if place not in held or not held[place].judges_a_finding],
        "appeared": [place for place in changes.appeared if not rules or place.rule in rules],
        "disappeared": [place for place in changes.disappeared if not rules or place.rule in rules],
    }
    for label in verdicts.LABELS:
        groups[label] = [
            place for place, verdict in held.items() if verdict.label == label and (label != verdicts.MISSED or place not in places)
        ]
    visible = {pin.repository for pin in chosen if scope.may_show(pin)}
    seen = {name: sorted(place for place in group if place.repository in visible) for name, group in groups.items()}
    drawn = sampling.sample(seen["unread"], sample, seed) if sample else []
    listed = tuple(dict.fromkeys(("appeared", "disappeared", *show))) if not sample else show
    figures = per_rule(places, held)
    failed = list(report.failures(results))
    if as_json:
        shown = report.Shown(results, held, None)
        said = {
            "rules": report.figures_as_json(figures),
            "counts": {name: len(group) for name, group in groups.items()},
            "places": {name: [shown.as_json(place) for place in seen[name]] for name in listed},
            "sample": [shown.as_json(place) for place in drawn],
            "stale": [str(verdict.place) for verdict in stale],
            "without_state": changes.new,
            "failures": failed,
        }
        click.echo(json.dumps(said, indent=2))
    else:
        lines = [*report.table(figures), "", report.seconds(results)]
        for name in listed:
            lines += ["", f"{name}: {report.counted(groups[name])}{_hidden(groups[name], seen[name])}"]
            shown = report.Shown(results, held, context if name in show else None)
            lines += [line for place in seen[name] for line in shown.place(place)]
        shown = report.Shown(results, held, context)
        lines += [line for place in drawn for line in ("", *shown.place(place))]
        lines += [f"gone with their code: {changes.gone}"] if changes.gone else []
        lines += [f"{len(changes.new)} repositories have no state yet"] if changes.new else []
        lines += [f"stale verdict, its line is no longer there: {verdict.place}" for verdict in stale]
        lines += ["", "not linted or not wholly:", *failed] if failed else []
        click.echo("\n".join(lines))
    if update:
        every = pins.read(scope.pins_file)
        state.write(scope.state_folder, state.updated(before, results, every), every)
    raise SystemExit(1 if failed else 0)


def _hidden(every: Sequence[Place], seen: Sequence[Place]) -> str:
    return f", {len(every) - len(seen)} of them in fresh repositories and not shown" if len(every) > len(seen) else ""


def _fixed(scope: Scope, directories: dict[str, Path], level: str, rules: tuple[str, ...], pin: Pin) -> fixing.Fixes:
    try:
        files = tree(pin, directories.get(pin.repository), scope.cache)
    except Unavailable as error:
        return fixing.Fixes(problems=[f"absent: {error}"])
    fixes = fixing.fix(pin, files, level, rules, scope.cache, scope.timeout)
    click.echo(f"{pin.repository}: {level}, {sum(fixes.fixed.values())} fixed", err=True)
    return fixes


@main.command("fix-check")
@click.option("--rule", "rules", multiple=True, help="Fix only what this rule finds.")
@click.option("--sample", type=click.IntRange(min=0), default=10, show_default=True, help="How many changes to print, for reading.")
@click.option("--seed", type=int, default=0, show_default=True)
@scoped
def fix_check(scope: Scope, rules: tuple[str, ...], sample: int, seed: int) -> None:
    """Fix copies: all that compiled still compiles, and a second run changes nothing.

    Exits with 1 if that does not hold.
    """
    directories, chosen = scope.directories(), scope.pins()
    sound = True
    for level in fixing.LEVELS:
        fixed: Counter[str] = Counter()
        faults: list[str] = []
        hunks = []
        with ThreadPoolExecutor(scope.jobs) as pool:
            done = list(pool.map(partial(_fixed, scope, directories, level, rules), chosen))
        for pin, fixes in zip(chosen, done, strict=True):
            fixed.update(fixes.fixed)
            faults += [f"{pin.repository}: no longer compiles: {path}" for path in fixes.broken]
            faults += [f"{pin.repository}: a second run changes it again: {path}" for path in fixes.unstable]
            faults += [f"{pin.repository}: {problem}" for problem in fixes.problems]
            hunks += [(pin, each) for each in fixes.hunks if scope.may_show(pin)]
        click.echo(f"{level} fixes: {', '.join(f'{rule} {count}' for rule, count in sorted(fixed.items())) or 'none'}")
        for pin, hunk in random.Random(seed).sample(hunks, min(sample, len(hunks))):
            click.echo(f"\n{', '.join(hunk.rules)} {pin.repository} {hunk.path}\n{hunk.text}")
        click.echo("\n".join(["", *faults, ""] if faults else [""]))
        sound = sound and not faults
    raise SystemExit(0 if sound else 1)


@main.command()
@click.option("--sample", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="How many files.")
@click.option("--seed", type=int, default=0, show_default=True, help="What the sample is drawn by.")
@scoped
def files(scope: Scope, sample: int, seed: int) -> None:
    """Draw files that mention torch, to be read from top to bottom before their findings are looked at."""
    directories = scope.directories()
    trees = {}
    for pin in scope.pins():
        if scope.may_show(pin):
            try:
                trees[pin] = tree(pin, directories.get(pin.repository), scope.cache)
            except Unavailable as error:
                click.echo(f"{pin.repository}: absent: {error}", err=True)
    mentioning = [Place(pin.repository, path, 1, verdicts.NO_RULE) for pin, each in trees.items() for path in each.mentioning(MENTION)]
    by_name = {pin.repository: pin for pin in trees}
    for drawn in sampling.sample(mentioning, sample, seed):
        pin = by_name[drawn.repository]
        click.echo(f"{drawn.repository} {drawn.path}\n    {trees[pin].root / drawn.path}\n    {pin.url(drawn.path, drawn.line)}")


@main.command("pin")
@click.option("--list", "listed", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Lines of repository, commit, kinds.")
@click.option("--move", is_flag=True, help="Let repositories that are pinned take the new commit.")
@click.option("--fresh-share", type=click.FloatRange(0, 1), default=0.3, show_default=True, help="How many are kept fresh, drawn by name.")
@scoped
def pin_repositories(scope: Scope, listed: Path | None, move: bool, fresh_share: float) -> None:
    """Pin what --list names, or the newest commits of all that lies in the --mirror, with its --kind."""
    if listed is not None:
        new = pins.listed(listed, fresh_share)
    else:
        where = str(scope.mirror)
        new = [
            pins.pin(name, newest(git), scope.set or pins.set_of(name, fresh_share), scope.kinds, where)
            for name, git in scope.directories().items()
            if not scope.repositories or name in scope.repositories
        ]
    old = pins.read(scope.pins_file)
    merged = pins.merged(old, new, move=move)
    pins.write(scope.pins_file, merged)
    moved = len(set(merged) - set(old)) - (len(merged) - len(old))
    click.echo(f"{len(merged) - len(old)} pinned, {moved} moved, {sum(each.set == FRESH for each in merged)} of {len(merged)} fresh")


@main.command()
@click.argument("repository")
@click.argument("path")
@click.argument("line", type=click.IntRange(min=1))
@click.argument("rule")
@click.argument("label", type=click.Choice(verdicts.LABELS))
@click.argument("reason")
@click.option("--found-by", type=click.Choice(verdicts.FOUND_BY), default=verdicts.TOOL, show_default=True, help="How it came to light.")
@scoped
def judge(scope: Scope, repository: str, path: str, line: int, rule: str, label: str, reason: str, found_by: str) -> None:
    """Write down a verdict on one line of the pinned commit."""
    [pin] = scope._replace(repositories=(repository,), set=None, kinds=()).pins()
    text = tree(pin, scope.directories().get(repository), scope.cache).lines(path)
    line_mark = mark(text, line)
    if not line_mark:
        raise click.UsageError(f"{repository} has no line {line} of {path}")
    verdict = verdicts.checked(verdicts.Verdict(Place(repository, path, line, rule), pin.commit, line_mark, label, found_by, reason), rule)
    verdicts.write(scope.verdicts_file, verdicts.added(verdicts.read(scope.verdicts_file), verdict))
    click.echo(text[line - 1].strip())


if __name__ == "__main__":
    main(prog_name="python -m ecosystem")

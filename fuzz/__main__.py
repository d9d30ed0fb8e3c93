"""`python -m fuzz`: try inputs by number, and keep what breaks a promise, as small as it gets."""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import partial
from pathlib import Path
from time import monotonic

import click

from fuzz.inputs import Maker, cases, texts_of
from fuzz.kills import problems
from fuzz.shrinking import shrunk
from fuzz.sources import Broken, Input, broken
from torchlint.syntax import making
from torchlint.syntax.nesting import with_room

TOLD = 500
"""After how many inputs to say how far it is."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--minutes", type=float, help="Stop after this time.")
@click.option("--inputs", type=click.IntRange(min=1), help="Stop after so many inputs; 1000 if nothing is said.")
@click.option("--seed", type=int, default=0, show_default=True, help="The number of the first input.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Other code to make inputs of.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("fuzz-failures"), show_default=True, help="Where to keep what fails."
)
@click.option(
    "--kills", type=click.IntRange(min=0), default=0, show_default=True, help="Kill so many runs while they fix, before all else."
)
@click.pass_context
def main(ctx: click.Context, minutes: float | None, inputs: int | None, seed: int, folder: Path | None, output: Path, kills: int) -> None:
    """Try inputs that nobody wrote. Exits with 1 if a promise was broken.

    Input N is the same whenever the same texts are there to make it of.
    """
    making.by_assignment()
    maker = Maker(cases() + (texts_of(folder) if folder is not None else []))
    last = seed + inputs if inputs is not None else None if minutes is not None else seed + 1_000
    found: Counter[tuple[str, str]] = Counter()
    for problem in problems(kills, seed) if kills else ():
        click.echo(problem, err=True)
        found["kills", problem] += 1
    if kills:
        click.echo(f"{kills} runs killed, {sum(found.values())} problems")
    started, number = monotonic(), seed
    while (last is None or number < last) and (minutes is None or monotonic() - started < 60 * minutes):
        given = maker.input(number)
        for how in with_room(partial(_wrong, given)):  # one thread for all that is asked of it
            if not found[how.promise, how.how]:  # one input of each kind is enough
                _keep(output, number, given, how)
            found[how.promise, how.how] += 1
        number += 1
        if (number - seed) % TOLD == 0:
            click.echo(f"{number - seed} inputs in {monotonic() - started:.0f} s, {sum(found.values())} broken promises", err=True)
    click.echo(f"{number - seed} inputs (from {seed}) in {monotonic() - started:.0f} s, {sum(found.values())} broken promises")
    ctx.exit(1 if found else 0)


def _wrong(given: Input) -> list[Broken]:
    return [*broken(given)]


def _keep(folder: Path, number: int, given: Input, how: Broken) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    least = with_room(lambda: shrunk(given, how))
    name = f"{number}-{how.promise}-{hashlib.sha256(least.data).hexdigest()[:8]}"
    (folder / f"{name}{Path(given.name).suffix}").write_bytes(least.data)
    (folder / f"{name}.txt").write_text(f"input {number}, asked by {given.seed}: {how.promise}\n{how.how}\n", encoding="utf-8")
    click.echo(f"{name}: {how.how}", err=True)


if __name__ == "__main__":
    main(prog_name="python -m fuzz")

"""`torchlint sanity run`: a program of the user's own before and after its fixes. What is run stands in `torchlint.sanity.own`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import click

from torchlint.cli._proof import check_template
from torchlint.cli.check import told
from torchlint.edits import Applicability
from torchlint.selection import SelectorError, validate
from torchlint.settings import Configuration


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("-m", "--module", is_flag=True, help="SCRIPT is the name of a module, as for `python -m`.")
@click.option("--steps", type=click.IntRange(min=1), default=20, show_default=True, help="Steps of an optimizer after which it is stopped.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=300.0, show_default=True, help="Seconds that each run may take."
)
@click.option(
    "--reach",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds for which it goes on past --steps while findings are not reached.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="`cpu` hides GPUs from the program; `cuda` and `mps` ask that there is one.",
)
@click.option("--unsafe-fixes/--no-unsafe-fixes", "unsafe", default=False, help="Apply unsafe fixes too.")
@click.option("--select", multiple=True, metavar="RULES", help="The rules to run: codes, prefixes, names or ALL.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Rules not to run.")
@click.option("--isolated", is_flag=True, help="Use no configuration file.")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as a page for the browser.",
)
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
@click.pass_context
def run(
    ctx: click.Context,
    module: bool,
    steps: int,
    timeout: float,
    reach: float,
    device: str,
    unsafe: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    isolated: bool,
    output_format: str,
    script: str,
    arguments: tuple[str, ...],
) -> None:
    """Run SCRIPT as it is and with the fixes that `check` proposes for it and for the files of yours that it imports, and compare the runs.

    Each run has a process of its own and the same seeds, and is stopped after some steps. No file is changed, but the program itself may
    write some, each time. What it prints goes to standard error. Options of torchlint come before SCRIPT, those of the program after it.

    Exits with 0 if the fixes do what they should, 1 if they change the program unexpectedly, 2 if nothing can be said.
    """
    if importlib.util.find_spec("torch") is None:
        raise click.ClickException('this command runs torch, which is not installed: pip install "torchlint[sanity]"')
    if not module and not Path(script).is_file():
        raise click.UsageError(f"{script}: there is no such file")
    if output_format == "html":
        check_template()
    given = {
        name: tuple(part.strip() for value in values for part in value.split(",") if part.strip())
        for name, values in (("select", select), ("ignore", ignore))
    }
    with told():
        configuration = Configuration({name: value for name, value in given.items() if value}, isolated=isolated)
        try:
            validate(configuration.settings(Path.cwd()))
        except SelectorError as error:
            raise click.UsageError(str(error)) from None
        from torchlint.sanity.own import decide, report
        from torchlint.sanity.own.launch import Program
        from torchlint.sanity.own.texts import Sources

        program = Program(script, arguments, module, _kind(device), hidden=device == "cpu")
        sources = Sources(
            configuration,
            Path.cwd() if module else Path(script).resolve().parent,
            Applicability.UNSAFE if unsafe else Applicability.SAFE,
        )
        outcome = decide.decide(
            decide.Trial(program, sources, steps, timeout, _echo, lambda what: click.echo(f"torchlint: {what}", err=True), reach)
        )
    if output_format == "html":
        from torchlint.sanity.own.page import as_html

        click.echo(as_html(outcome, program))
    else:
        click.echo(report.as_json(outcome, program) if output_format == "json" else report.as_text(outcome, program))
    ctx.exit(report.EXIT.get(outcome.verdict, 0))


def _kind(device: str) -> str:
    """The kind of device that the program may use; one that is asked for and not there is an error."""
    if device == "cpu":
        return device
    from torchlint.sanity import trials
    from torchlint.sanity.processes import ChildFailedError

    try:
        machine = trials.machine()
    except ChildFailedError as error:
        raise click.ClickException(f"torch cannot be used here: {error}") from None
    if device in machine.absent:
        raise click.ClickException(f"--device {device}: {machine.absent[device]}")
    return list(machine.present)[-1] if device == "auto" else device


def _echo(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()

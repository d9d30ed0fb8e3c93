"""`torchlint upgrade`: what a newer torch breaks and deprecates. It is `check` with the rules about versions, and another torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from torchlint.cli.check import Options, Run, told
from torchlint.output import Report
from torchlint.run.many import available_processors
from torchlint.settings import FORMATS, KEYS, Configuration, Settings

_file = click.Path(dir_okay=False, path_type=Path)


def _known(ctx: click.Context, option: click.Parameter, value: str) -> str:
    from torchlint.facts.versions import versions

    try:
        wanted = _minor(KEYS["torch-version"].read(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if wanted not in versions():
        first, last = (".".join(map(str, each)) for each in (versions()[0], versions()[-1]))
        raise click.BadParameter(f"this torchlint knows torch {first} to {last}, and nothing about {value}")
    return ".".join(map(str, wanted))


def _minor(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")[:2]))


@click.command(short_help="Tell what a newer torch breaks and deprecates, and mend it.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--to", required=True, callback=_known, metavar="VERSION", help="The torch that the project is to run on.")
@click.option("--fix", is_flag=True, help="Apply safe fixes, then report what is left.")
@click.option("--unsafe-fixes/--no-unsafe-fixes", "unsafe", default=False, help="Count unsafe fixes as applicable too.")
@click.option("--diff", is_flag=True, help="Print what fixing would change, and change nothing.")
@click.option("--output-format", type=click.Choice(FORMATS), help="List the findings in this format instead of counting the changes.")
@click.option("--output-file", type=_file, help="Write the report to this file.")
@click.option("-e", "--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--config", type=_file, help="Use this configuration file and no other.")
@click.option("--isolated", is_flag=True, help="Use no configuration file, and do not ask which torch the project needs now.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), default=available_processors, help="How many processes to use.")
@click.pass_context
def upgrade(
    ctx: click.Context,
    /,
    paths: tuple[Path, ...],
    to: str,
    output_format: str | None,
    config: Path | None,
    isolated: bool,
    **flags: Any,
) -> None:
    """Count what the torch named breaks and deprecates in the PATHS (by default the current folder), change by change.

    The code is read as if it ran on that torch alone: fixes may use whatever it has. Exits as `check` does.
    """
    if config is not None and isolated:
        raise click.UsageError("--config and --isolated exclude each other")
    from torchlint.selection import all_rules

    with told():
        selected = tuple(rule.code for rule in all_rules() if rule.by_version)
        overrides = {"select": selected, "torch-version": to, "newest-torch": to}
        if output_format is not None:
            overrides["output-format"] = output_format
        today = Configuration(file=config, isolated=isolated)
        run = _Upgrade(Options(**flags), Configuration(overrides, file=config, isolated=isolated), today, to, counts=output_format is None)
        status = run.paths(paths or (Path(),))
    ctx.exit(status)


class _Upgrade(Run):
    def __init__(self, options: Options, configuration: Configuration, today: Configuration, to: str, *, counts: bool) -> None:
        super().__init__(options, configuration)
        self._today = today
        """The settings as they are without the upgrade."""
        self._to = to
        self._counts = counts

    def _begin(self, files: Sequence[Path]) -> None:
        for settings in dict.fromkeys(self._today.settings(each.absolute().parent) for each in files):
            oldest = settings.torch_version
            if oldest is not None and _minor(oldest) > _minor(self._to):
                raise click.ClickException(f"{_who(settings)} asks for torch {oldest} or newer: {self._to} would be no upgrade")

    def _lines(self, report: Report) -> Iterator[str]:
        if not self._counts or self._options.diff:
            yield from super()._lines(report)
            return
        from torchlint.output import changes, concise

        yield from concise.failures(report)
        yield from changes.render(report, self._to)


def _who(settings: Settings) -> str:
    return settings.torch_origin or "the configuration"

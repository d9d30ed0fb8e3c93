"""`torchlint corpus`: from options to a run over a data set, and what it came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchlint.cli import FAILURE
from torchlint.cli.check import check_selectors, rules_option, told, version
from torchlint.output import count
from torchlint.output.excerpt import visible
from torchlint.run.many import available_processors
from torchlint.settings import SEVERITIES, Configuration

if TYPE_CHECKING:
    from torchlint.corpus.plan import Options

_file = click.Path(dir_okay=False, path_type=Path)


@click.command(short_help="Check and fix a data set of code, on many machines.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--output", required=True, metavar="FOLDER", help="Where results are written, and where a run that was interrupted goes on.")
@click.option("--text-column", metavar="COLUMN", help="The column that holds the texts; by default `content`.")
@click.option("--path-column", metavar="COLUMN", help="The column that holds their paths; by default `path`, if there is one.")
@click.option("--id-column", metavar="COLUMN", help="A column that is carried along into the results.")
@click.option("--fix", is_flag=True, help="Apply safe fixes to the texts that are written, then report what is left.")
@click.option("--unsafe-fixes/--no-unsafe-fixes", "unsafe", default=False, help="Count unsafe fixes as applicable too.")
@rules_option("--select", "The rules to run: codes, prefixes, names, TOR aliases or ALL.")
@rules_option("--extend-select", "Rules to run in addition.")
@rules_option("--ignore", "Rules not to run.")
@click.option("--severity", type=click.Choice(SEVERITIES), default=SEVERITIES[0], help="The lowest severity that is reported.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", help="How the statistics are shown.")
@click.option("--torch-version", callback=version, metavar="VERSION", help="The oldest torch that the code supports.")
@click.option("--config", type=_file, help="Use this configuration file and no other.")
@click.option("--isolated", is_flag=True, help="Use no configuration file.")
@click.option("--max-bytes", type=click.IntRange(min=1), default=2**20, show_default=True, help="Larger texts are not checked.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=300.0, show_default=True, help="Seconds for one text.")
@click.option(
    "--rows-per-block",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Rows that are judged and written together, and lost together if the run is interrupted.",
)
@click.option("--concurrency", type=click.IntRange(min=1), help="How many actors check at once; by default one per processor.")
@click.option("--address", help="The Ray cluster to run on: `auto`, or HOST:PORT. By default this machine.")
@click.pass_context
def corpus(
    ctx: click.Context,
    /,
    sources: tuple[str, ...],
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    severity: str,
    output_format: str,
    torch_version: str | None,
    config: Path | None,
    isolated: bool,
    **flags: Any,
) -> None:
    """Check the SOURCEs (Parquet files, folders of them, or folders of code) with Ray Data, and write findings and fixed texts as Parquet.

    Every text is judged by itself. Exits with 0 once all of them are, whatever was found, and with 2 after wrong usage or a failure.
    """
    if config is not None and isolated:
        raise click.UsageError("--config and --isolated exclude each other")
    _check_extra()
    given = {"select": select, "extend-select": extend_select, "ignore": ignore, "torch-version": torch_version}
    with told(), _explained():
        from torchlint.corpus.plan import Options

        overrides = {name: value for name, value in given.items() if value}
        configuration = Configuration(overrides, severity=severity, file=config, isolated=isolated)
        status = _run(sources, Options(**flags), configuration, output_format)
    ctx.exit(status)


def _check_extra() -> None:
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise click.ClickException('this runs on Ray Data, which is not installed: pip install "torchlint[ray]"')


@contextmanager
def _explained() -> Iterator[None]:
    from torchlint.corpus import CorpusError

    try:
        yield
    except CorpusError as error:
        raise click.ClickException(visible(str(error))) from error


def _run(sources: tuple[str, ...], options: Options, configuration: Configuration, output_format: str) -> int:
    from torchlint.corpus.plan import prepared
    from torchlint.output import statistics

    plan = prepared(sources, options, configuration)
    check_selectors(plan.settings)
    for problem in plan.problems:
        click.echo(f"torchlint: {visible(problem)}", err=True)
    came_to = plan.record.begin(plan.identity)
    if came_to is None:
        from torchlint.corpus import pipeline

        with pipeline.cluster(options.address, options.concurrency or available_processors()) as room:
            came_to = pipeline.run(plan, options.concurrency or room)
        plan.record.finish(plan.identity, came_to)
    for line in statistics.shown(came_to["rules"], output_format):
        click.echo(line)
    click.echo(f"torchlint: {_summary(came_to['totals'])} Written to {visible(options.output)}.", err=True)
    return FAILURE if plan.problems else 0


def _summary(totals: Mapping[str, int]) -> str:
    said = [f"{count(totals['findings'], 'finding')} in {totals['texts_with_findings']} of {count(totals['texts'], 'text')}"]
    if totals["fixes"]:
        said.append(f"{totals['fixes']} fixed in {totals['texts_fixed']}")
    if totals["errors"]:
        said.append(f"{totals['errors']} could not be checked")
    return "; ".join(said) + "."

"""`torchlint sanity`: prove the rules' fixes by running them. What is run and how it is judged stands in `torchlint.sanity`.

`torchlint sanity run` does so with a program of the user's own.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from torchlint.cli import FINDINGS, _proof
from torchlint.cli.check import told
from torchlint.output.terminal import has_color
from torchlint.run.many import available_processors
from torchlint.selection import SelectorError, enabled_rules, spelled, validate
from torchlint.settings import Settings


class _Sanity(click.Command):
    """Takes codes of rules, of which `run` is none: as the first word it leads to the other command."""

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        if args[:1] != ["run"]:
            return super().make_context(info_name, args, parent, **extra)
        from torchlint.cli._sanity_run import run

        return run.make_context(f"{info_name} run", args[1:], parent, **extra)


@click.command(
    cls=_Sanity,
    short_help="Prove the fixes of rules by running them.",
    epilog="`torchlint sanity run SCRIPT` does so with a program of your own: see `torchlint sanity run --help`.",
)
@click.argument("codes", nargs=-1)
@click.option("--device", type=click.Choice(["cpu", "cuda", "mps", "all"]), default="all", show_default=True, help="Where to run.")
@click.option(
    "--output-format",
    type=click.Choice(["table", "json", "html"]),
    default="table",
    show_default=True,
    help="For people, for programs, or as a page for the browser.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Programs that run at a time; by default as many as there are processors.")
@click.option("--mutants", is_flag=True, help="Instead of the real fixes, run wrong ones, each of which must be refuted.")
def sanity(codes: tuple[str, ...], device: str, output_format: str, jobs: int | None, mutants: bool) -> int:
    """Run each rule's scenario with its mistake and with the rule's real fix, and compare all that the two programs did.

    CODES are codes, prefixes (TL1), names or TorchFix aliases of rules; without them every rule with a fix is proven. Safe fixes are proven
    by themselves, then together with the unsafe ones. A device that is not there is skipped, never passed. Exits 1 if a proof fails, 2 if
    nothing can be run.
    """
    with told():
        settings = Settings(select=tuple(map(spelled, codes)) or ("ALL",))
        try:
            validate(settings)
        except SelectorError as error:
            raise click.UsageError(str(error).removeprefix("--select: ")) from None
        # A plugin's rule may have no scenario: it is proven where it is asked for.
        rules = [rule for rule in enabled_rules(settings, "") if rule.fix is not None and (codes or rule.plugin is None)]
    if not rules:
        raise click.UsageError("none of these rules has a fix to prove")
    _proof.check_torch()
    if output_format == "html":
        _proof.check_template()

    from torchlint.sanity import prove, report

    machine = _proof.machine()
    kinds = machine.kinds if device == "all" else (device,)
    proofs = prove.rules(rules, machine, kinds, mutants=mutants, workers=jobs or available_processors())
    outcomes = sorted(_proof.watched(proofs), key=lambda outcome: outcome.code)
    if output_format == "json":
        click.echo(report.as_json(outcomes, machine))
    elif output_format == "html":
        from torchlint.sanity.page import as_html

        click.echo(as_html(outcomes, machine))
    elif has_color(sys.stdout):
        report.show(outcomes)
    else:
        click.echo(report.as_text(outcomes))
    if not report.any_ran(outcomes):
        raise click.ClickException("nothing could be run here")
    return FINDINGS if report.any_failed(outcomes) else 0

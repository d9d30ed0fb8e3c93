"""`torchlint doctor`: whether torch fits the machine. What is asked and how it is judged stands in `torchlint.sanity.doctor`."""

from __future__ import annotations

import sys

import click

from torchlint.cli import FINDINGS
from torchlint.cli._proof import check_torch
from torchlint.output.terminal import has_color


@click.command(short_help="Tell whether torch, its CUDA and the driver fit.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For people or for programs.")
def doctor(output_format: str) -> int:
    """Tell which torch is installed, what it was built for, what the driver runs, why a GPU is not available, and what to install.

    Torch is imported in a process of its own, so that a broken one can be told about. Exits 1 if torch and the machine do not fit.
    """
    check_torch()

    from torchlint.sanity.doctor import diagnose, gather, show
    from torchlint.sanity.prove import runnable

    facts = gather.gather()
    findings, scenarios = diagnose.diagnose(facts), runnable(facts.torch.kinds if facts.torch is not None else ())
    if output_format == "json":
        click.echo(show.as_json(facts, findings, scenarios))
    elif has_color(sys.stdout):
        show.show(facts, findings, scenarios)
    else:
        click.echo(show.as_text(facts, findings, scenarios))
    return FINDINGS if any(each.mismatch for each in findings) else 0

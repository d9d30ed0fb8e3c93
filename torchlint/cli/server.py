"""`torchlint server`: the language server, spoken to over standard input and output."""

from __future__ import annotations

import importlib.util
import os
import sys

import click


@click.command(short_help="Speak to an editor (LSP).")
def server() -> None:
    """Start the language server. Editors start it themselves, and speak to it over standard input and output."""
    if importlib.util.find_spec("pygls") is None:
        raise click.ClickException('the language server needs pygls, which is not installed: pip install "torchlint[lsp]"')
    from torchlint.lsp.server import create

    # Streams of its own, which it closes when the editor is gone.
    with os.fdopen(os.dup(sys.stdin.fileno()), "rb") as requests, os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        create().start_io(requests, answers)

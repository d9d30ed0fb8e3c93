"""The command line: one module per command, each with a click command of the same name. Only parsing and exit codes live here.

Exit status: 0 nothing left to report, 1 findings, 2 wrong usage, a configuration that cannot be used, or a failure of torchlint.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from torchlint import __version__

FINDINGS, FAILURE, INTERRUPTED = 1, 2, 130


class _Commands(click.Group):
    """Every module of this package is a command, imported when it is called: one command never waits for another's imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from pkgutil import iter_modules

        return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if not cmd_name.isidentifier() or cmd_name.startswith("_"):
            return None
        name = f"{__name__}.{cmd_name}"
        try:
            command: click.Command = getattr(import_module(name), cmd_name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            return None
        return command


@click.group("torchlint", cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="torchlint %(version)s")
def torchlint() -> None:
    """Find the mistakes PyTorch lets pass in silence, fix them, and prove the fixes by running them."""


def main() -> NoReturn:
    sys.exit(_run())


def _run() -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # What the checked code is written in need not exist in the terminal's encoding.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = torchlint.main(prog_name="torchlint", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return FAILURE
    except (click.Abort, KeyboardInterrupt):
        click.echo("torchlint: interrupted; every file is whole", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. What is still buffered must not fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINDINGS
    except Exception as error:  # noqa: BLE001 - the last resort: a line instead of a traceback, and never a status that means success
        from torchlint.run.failure import account

        click.echo(f"torchlint: internal error: {account(error)}", err=True)
        return FAILURE
    return status if isinstance(status, int) else 0

"""The command line: one module per command, each with a click command of the same name. Only parsing and exit codes live here.

Exit status: 0 nothing left to report, 1 findings, 2 wrong usage, a configuration that cannot be used, or a failure of torchlint.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import NoReturn, TextIO

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
    closed = _open_all_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # What the checked code is written in need not exist in the terminal's encoding.
            stream.reconfigure(errors="backslashreplace")
    try:
        if sys.stdout in closed:
            raise click.ClickException("standard output is closed")
        status = torchlint.main(prog_name="torchlint", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        return _failed(error.show)
    except (click.Abort, KeyboardInterrupt):
        _failed(lambda: click.echo("torchlint: interrupted; every file is whole", err=True))
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. What is still buffered must not fail once more at exit.
        _discard(sys.stdout)
        return FINDINGS
    except Exception as error:  # noqa: BLE001 - the last resort: a line instead of a traceback, and never a status that means success
        from torchlint.run.failure import account

        message = f"internal error: {account(error)}"
        if isinstance(error, OSError) and error.filename is None:  # no file was to be opened, so it is the stream that failed
            message = f"the output cannot be written: {error.strerror}"
            _discard(sys.stdout)
        return _failed(lambda: click.echo(f"torchlint: {message}", err=True))
    return status if isinstance(status, int) else 0


def _open_all_streams() -> list[TextIO]:
    """Put the null device in the place of standard streams that are closed, and return these.

    Else the first file that is opened would take their numbers, and be written to.
    """
    closed: list[TextIO] = []
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_WRONLY)  # reading from it fails, as it should
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115  as long as the process lives
            setattr(sys, name, stream)
            closed.append(stream)
    return closed


def _failed(say: Callable[[], None]) -> int:
    """Say what went wrong, if anybody can hear it."""
    try:
        say()
    except OSError:
        _discard(sys.stderr)
    return FAILURE


def _discard(stream: TextIO) -> None:
    """Drop what a stream that cannot be written to still holds, and is still given: it must not fail once more at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)

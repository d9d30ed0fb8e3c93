"""What every command is told: where things lie, which repositories are meant, and what of them may be shown."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from ecosystem import pins
from ecosystem.mirror import git_directories
from ecosystem.pins import FRESH, PRACTICE, SETS, Pin
from torchlint.run.many import available_processors

HERE = Path(__file__).parent


class Scope(NamedTuple):
    """The options that all commands share."""

    data: Path
    mirror: Path | None
    cache: Path
    set: str | None
    kinds: tuple[str, ...]
    repositories: tuple[str, ...]
    jobs: int
    timeout: float

    @property
    def pins_file(self) -> Path:
        return self.data / "repositories.tsv"

    @property
    def verdicts_file(self) -> Path:
        return self.data / "verdicts.tsv"

    @property
    def state_folder(self) -> Path:
        return self.data / "state"

    def directories(self) -> dict[str, Path]:
        return git_directories(self.mirror) if self.mirror is not None else {}

    def pins(self) -> list[Pin]:
        known = pins.read(self.pins_file)
        unknown = set(self.repositories) - {each.repository for each in known}
        if unknown:
            raise click.UsageError(f"not pinned: {', '.join(sorted(unknown))}")
        return pins.chosen(known, set_=self.set, kinds=self.kinds, repositories=self.repositories)

    def may_show(self, pin: Pin) -> bool:
        """What is kept fresh is shown to those who ask for it by name, so that nobody mends by it unawares."""
        return pin.set == PRACTICE or self.set == FRESH or pin.repository in self.repositories


def _cache_folder() -> str:
    return str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "torchlint-ecosystem")


def _folder(name: str, variable: str, help: str, **more: Any) -> Callable[[Any], Any]:
    kind = click.Path(file_okay=False, path_type=Path, resolve_path=True)
    return click.option(name, type=kind, envvar=f"TORCHLINT_ECOSYSTEM_{variable}", show_envvar=True, help=help, **more)


_OPTIONS = (
    _folder("--data", "DATA", "Where pins, verdicts and state are kept.", default=HERE),
    _folder("--mirror", "MIRROR", "Where the git directories lie, in folders `owner+name` or `owner/name`.", default=None),
    _folder("--cache", "CACHE", "Where trees and results are kept; may be removed at any time.", default=_cache_folder),
    click.option("--set", type=click.Choice(SETS), help="Only these repositories. Findings in fresh ones are shown only with this."),
    click.option("--kind", "kinds", multiple=True, help="Only repositories of this kind."),
    click.option("--repository", "repositories", multiple=True, metavar="OWNER/NAME", help="Only this repository."),
    click.option("-j", "--jobs", type=click.IntRange(min=1), default=available_processors, help="How many repositories at a time."),
    click.option("--timeout", type=click.FloatRange(min=0), default=600.0, show_default=True, help="Seconds per repository."),
)


def scoped(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the shared options, which it gets as one `Scope`."""

    @functools.wraps(command)
    def call(**options: Any) -> None:
        command(Scope(**{name: options.pop(name) for name in Scope._fields}), **options)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call

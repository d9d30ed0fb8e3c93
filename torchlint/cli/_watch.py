"""`torchlint check --watch`: a run, and another one after each change of what it looked at, until it is interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from torchlint.output.excerpt import visible
from torchlint.settings import FILE_NAMES

_SUFFIXES = (".py", ".pyi", ".ipynb", ".md")
_OTHERS = frozenset((*FILE_NAMES, *"setup.cfg environment.yml environment.yaml uv.lock poetry.lock pdm.lock .gitignore".split()))
_SHOWN = 3
"""Names of changed files in one line."""


def watch(paths: Sequence[Path], config: Path | None, run: Callable[[], int]) -> int:
    """Run now and after each change. What is wrong with a configuration is said, and may be mended in the meantime."""
    if find_spec("watchfiles") is None:
        raise click.ClickException('--watch needs watchfiles, which is not installed: pip install "torchlint[watch]"')
    import watchfiles

    missing = [path for path in paths if not path.exists()]
    if missing:
        raise click.ClickException(visible(f"{missing[0]}: no such file or folder"))
    folders = [os.path.abspath(path if path.is_dir() else path.parent) for path in (*paths, *(() if config is None else (config,)))]
    _once(run)
    for changes in watchfiles.watch(
        *dict.fromkeys(folders), watch_filter=lambda _, path: is_of_interest(path, folders, config), raise_interrupt=False
    ):
        names = sorted({os.path.basename(path) for _, path in changes})
        click.echo(visible(f"\ntorchlint: changed: {', '.join(names[:_SHOWN])}{' and others' if len(names) > _SHOWN else ''}"), err=True)
        _once(run)
    return 0


def is_of_interest(path: str, folders: Sequence[str], config: Path | None = None) -> bool:
    """Whether a run may say something else after a change of this file below one of these folders."""
    if config is not None and path == os.path.abspath(config):
        return True
    name = os.path.basename(path)
    if not name.endswith(_SUFFIXES) and name not in _OTHERS and not name.startswith("requirements"):
        return False
    above = [os.path.relpath(os.path.dirname(path), each) for each in folders if path.startswith(os.path.join(each, ""))]
    return any(not any(part.startswith(".") and part != "." for part in each.split(os.sep)) for each in above)


def _once(run: Callable[[], int]) -> None:
    from torchlint.cli.check import told

    try:
        with told():
            run()
    except click.ClickException as error:
        error.show()

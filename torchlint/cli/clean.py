"""`torchlint clean`: do away with what `torchlint check` keeps between runs."""

from __future__ import annotations

from pathlib import Path

import click

from torchlint.cli.check import cache_folder, told
from torchlint.output.excerpt import visible
from torchlint.settings import Configuration


@click.command(short_help="Empty the cache of a project.")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Use this configuration file and no other.")
@click.option("--isolated", is_flag=True, help="Use no configuration file.")
@click.option("--cache-dir", type=click.Path(file_okay=False, path_type=Path), help="The folder to clean, if it is not the project's.")
def clean(config: Path | None, isolated: bool, cache_dir: Path | None) -> None:
    """Empty the cache of the project in the current folder."""
    from torchlint.cache import store

    if config is not None and isolated:
        raise click.UsageError("--config and --isolated exclude each other")
    with told():
        folder = cache_folder(Configuration(file=config, isolated=isolated).settings(Path.cwd()), cache_dir)
    try:
        found = store.clean(folder)
    except OSError as error:
        raise click.ClickException(visible(f"{folder}: cannot be removed: {error.strerror}")) from error
    click.echo(visible(f"Removed the cache in {folder}." if found else f"There is no cache in {folder}."))

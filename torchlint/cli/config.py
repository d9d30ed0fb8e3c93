"""`torchlint config`: what the keys of a configuration file mean."""

from __future__ import annotations

import click

from torchlint.settings import KEYS, Key, nearest

_EXTEND = "extend"


@click.command(short_help="Explain the keys of a configuration file.")
@click.argument("key", required=False)
def config(key: str | None) -> None:
    """Explain one KEY of `[tool.torchlint]` in pyproject.toml (or of torchlint.toml), or list all of them."""
    if key is None:
        width = max(map(len, (*KEYS, _EXTEND)))
        click.echo(f"{_EXTEND:<{width}}  {_EXTEND_HELP}")
        for each in KEYS.values():
            click.echo(f"{each.name:<{width}}  {each.help.splitlines()[0]}")
        return
    if key == _EXTEND:
        click.echo(f"{_EXTEND}: string\n\n{_EXTEND_HELP}\n\nDefault: none")
        return
    if key not in KEYS:
        raise click.UsageError(f"there is no key `{key}`; the nearest is `{nearest(key, (*KEYS, _EXTEND))}`")
    click.echo(f"{key}: {KEYS[key].type}\n\n{KEYS[key].help}\n\nDefault: {_shown(KEYS[key])}")


_EXTEND_HELP = "Another configuration file, relative to this one, whose settings hold where this one has none."


def _shown(key: Key) -> str:
    """The default as it would be written in TOML."""
    if key.name == "select":
        return "the rules that `torchlint rule` lists as on"
    if key.name == "per-file-ignores":
        return "an empty table"
    if key.name == "torch-version":
        return "what the project's dependencies say"
    if key.default is None:
        return "none"
    if isinstance(key.default, tuple):
        return "[" + ", ".join(f'"{each}"' for each in key.default) + "]"
    return f'"{key.default}"'

"""`torchlint config`: what the keys of a configuration file mean."""

from __future__ import annotations

import json

import click

from torchlint.settings import EXTEND, EXTEND_HELP, KEYS, Key, nearest


@click.command(short_help="Explain the keys of a configuration file.")
@click.argument("key", required=False)
@click.option(
    "--output-format", type=click.Choice(["text", "json-schema"]), default="text", show_default=True, help="For people or for editors."
)
def config(key: str | None, output_format: str) -> None:
    """Explain one KEY of `[tool.torchlint]` in pyproject.toml (or of torchlint.toml), or list all of them."""
    if output_format == "json-schema":
        if key is not None:
            raise click.UsageError("the schema is that of all keys together: name none")
        from torchlint.schema import schema

        click.echo(json.dumps(schema(), indent=2))
        return
    if key is None:
        width = max(map(len, (*KEYS, EXTEND)))
        click.echo(f"{EXTEND:<{width}}  {EXTEND_HELP}")
        for each in KEYS.values():
            click.echo(f"{each.name:<{width}}  {each.help.splitlines()[0]}")
        return
    if key == EXTEND:
        click.echo(f"{EXTEND}: string\n\n{EXTEND_HELP}\n\nDefault: none")
        return
    if key not in KEYS:
        raise click.UsageError(f"there is no key `{key}`; the nearest is `{nearest(key, (*KEYS, EXTEND))}`")
    click.echo(f"{key}: {KEYS[key].type}\n\n{KEYS[key].help}\n\nDefault: {default(KEYS[key])}")


def default(key: Key) -> str:
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

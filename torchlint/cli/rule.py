"""`torchlint rule`: the rule book in the terminal, and the beginning of a rule of one's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from torchlint import rulebook, scaffold
from torchlint.cli.check import told
from torchlint.output.terminal import has_color
from torchlint.rule import Rule
from torchlint.selection import all_rules, known_names, load_plugins, named, spelled
from torchlint.settings import Configuration, nearest


class _PageByDefault(click.Group):
    """Whatever is no command of its own names a rule: `torchlint rule TL102` is `torchlint rule show TL102`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_PageByDefault, short_help="Print a rule's page, list all rules, or begin a new one.", subcommand_metavar="[RULE]")
def rule() -> None:
    """Print the page of a RULE, named by code (TL102), name (graph-kept-in-total) or TorchFix alias; without one, list all.

    `torchlint rule RULE` is short for `torchlint rule show RULE`.
    """


@rule.command(short_help="Print a rule's page, or list all rules.")
@click.argument("name", metavar="[RULE]", required=False)
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as the rule book has it.",
)
def show(name: str | None, output_format: str) -> None:
    """Print the page of a RULE, named by code (TL102), name (graph-kept-in-total) or TorchFix alias; without one, list all.

    The rules of plugins are those of the installed ones and of those that the configuration of the current folder names.
    """
    with told():
        load_plugins(Configuration().settings(Path.cwd()).plugins)
        rules = all_rules() if name is None else named(spelled(name))
        if not rules:
            raise click.UsageError(f"no rule is called `{name}`; the nearest is `{nearest(name or '', known_names())}`")
    if output_format == "json":
        described = [_described(each, page=name is not None) for each in rules]
        click.echo(json.dumps(described, indent=2))
    elif name is None and output_format == "markdown":
        click.echo(rulebook.index(each for each in rules if each.plugin is None), nl=False)
    elif name is None:
        _list(rules)
    elif output_format == "markdown":
        click.echo("\n".join(map(rulebook.page, rules)), nl=False)
    else:
        for each in rules:
            _print(rulebook.page(each))


@rule.command(short_help="Begin a rule of your own.")
@click.argument("code")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The package that it belongs to; by default the current folder.",
)
def new(code: str, name: str, folder: Path) -> None:
    """Begin a rule of your own with a CODE (ACME101) and a NAME (no-print-options): module, page, cases and a test, which pass as they are.

    The test goes into `tests` in the current folder.
    """
    try:
        written = scaffold.write(code, name, folder, Path("tests"))
    except scaffold.ScaffoldError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    for path in written:
        click.echo(f"wrote {path}")
    package = folder.absolute().name
    click.echo(f'\nIt is run where the configuration says `plugins = ["{package}"]`, or where the package that is installed announces it:')
    click.echo(f'\n[project.entry-points."torchlint.rules"]\n{package} = "{package}"')


def _list(rules: tuple[Rule, ...]) -> None:
    width = max(len(each.name) for each in rules)
    for each in rules:
        default, fix = "on" if each.default else "off", each.fix.label if each.fix is not None else "-"
        click.echo(f"{each.code}  {each.name:<{width}}  {default:<3}  {fix:<7}  {each.title}")
    click.echo("\nEach line: code, name, whether it is on by default, how its fix is applied, what it finds.")


def _print(page: str) -> None:
    """On a terminal as it is meant to be read, elsewhere as it is written."""
    if not has_color(sys.stdout):
        click.echo(page)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(force_terminal=True).print(Markdown(page))


def _described(rule: Rule, *, page: bool) -> dict[str, Any]:
    described = {
        "code": rule.code,
        "name": rule.name,
        "family": rule.family,
        "title": rule.title,
        "severity": rule.severity.label,
        "default": rule.default,
        "quiet_in_tests": rule.quiet_in_tests,
        "fix": rule.fix.label if rule.fix is not None else None,
        "effect": rule.effect.value if rule.effect is not None else None,
        "aliases": list(rule.aliases),
        "url": rulebook.url(rule),
    }
    return {**described, "page": rulebook.page(rule)} if page else described

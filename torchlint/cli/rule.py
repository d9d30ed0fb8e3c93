"""`torchlint rule`: the rule book in the terminal."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from torchlint import rulebook
from torchlint.output.terminal import has_color
from torchlint.rule import Rule
from torchlint.selection import all_rules, known_names, named, spelled
from torchlint.settings import nearest


@click.command(short_help="Print a rule's page, or list all rules.")
@click.argument("name", metavar="[RULE]", required=False)
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as the rule book has it.",
)
def rule(name: str | None, output_format: str) -> None:
    """Print the page of a RULE, named by code (TL102), name (graph-kept-in-total) or TorchFix alias; without one, list all."""
    rules = all_rules() if name is None else named(spelled(name))
    if not rules:
        raise click.UsageError(f"no rule is called `{name}`; the nearest is `{nearest(name or '', known_names())}`")
    if output_format == "json":
        described = [_described(each, page=name is not None) for each in rules]
        click.echo(json.dumps(described, indent=2))
    elif name is None and output_format == "markdown":
        click.echo(rulebook.index(rules), nl=False)
    elif name is None:
        _list(rules)
    elif output_format == "markdown":
        click.echo("\n".join(map(rulebook.page, rules)), nl=False)
    else:
        for each in rules:
            _print(rulebook.page(each))


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

"""Where the page of a rule and its cases are: inside an installed package, or beside it in a checkout or an editable installation."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from torchlint.rule import Rule

HOME = "https://github.com/torchlint/torchlint"

_PACKAGE = Path(__file__).parent


def page(rule: Rule) -> str:
    """The rule's page, in Markdown."""
    return (rulebook_folder() / rule.family / f"{rule.stem}.md").read_text(encoding="utf-8")


def fixtures(rule: Rule) -> Path:
    """The folder of the rule's cases and its scenario."""
    return fixtures_folder() / rule.family / rule.stem


def url(rule: Rule) -> str:
    """Where the page can be read on the web."""
    return f"{HOME}/blob/main/rules/{rule.family}/{rule.stem}.md"


@cache
def rulebook_folder() -> Path:
    return _folder("_rulebook", "rules")


@cache
def fixtures_folder() -> Path:
    return _folder("_fixtures", "fixtures")


def _folder(shipped: str, beside: str) -> Path:
    """A wheel ships the folders within the package, under names that no module has."""
    inside = _PACKAGE / shipped
    return inside if inside.is_dir() else _PACKAGE.parent / beside

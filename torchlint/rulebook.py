"""The rule book: its index, and where the page of a rule and its cases are, inside an installed package or beside it in a checkout."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from itertools import groupby
from pathlib import Path

from torchlint.edits import Applicability
from torchlint.rule import Rule

HOME = "https://github.com/torchlint/torchlint"

_PACKAGE = Path(__file__).parent

_OPENING = """\
# Rules

Every rule by its code, as `torchlint rule --output-format markdown` writes it. A name leads to the page, which says what the rule flags,
why that matters, when it stays quiet and what its fix changes. [Myths](myths.md) is about advice that torch refutes.

- **default**: an *off* rule speaks where it is selected: by its code, its name, a prefix or `ALL`.
- **`--fix`**: *safe* fixes are applied by it, *unsafe* ones with `--unsafe-fixes` as well, *shown* ones by nobody. A rule with safe fixes
  calls single ones unsafe where something is not established; its page says what.
- **in tests**: a *quiet* rule is about what nobody misses in a test, above all time and memory: it leaves test code alone, unless it is
  selected by its own code.
"""
_HEAD = "| code | name | what it finds | default | `--fix` | in tests |\n|---|---|---|---|---|---|\n"
_TOOL = "The tool itself: files that could not be checked, and suppressions."


def page(rule: Rule) -> str:
    """The rule's page, in Markdown."""
    file = page_file(rule)
    if rule.plugin is not None and not file.is_file():
        return f"# {rule.code} {rule.name}\n\n{rule.title}\n"
    return file.read_text(encoding="utf-8")


def page_file(rule: Rule) -> Path:
    """Where the page is; a plugin has it in the folder `pages` beside the rule, if at all."""
    if rule.plugin is not None:
        return _beside(rule) / "pages" / f"{rule.stem}.md"
    return rulebook_folder() / rule.family / f"{rule.stem}.md"


def index(rules: Iterable[Rule]) -> str:
    """All of these rules in Markdown, a table for each family; links go to the pages, from the folder that they are in."""
    families = groupby(rules, key=lambda rule: rule.family)
    tables = (f"\n## {family}\n\n{_about(family)}\n\n{_HEAD}{''.join(map(_row, members))}" for family, members in families)
    return _OPENING + "".join(tables)


def _about(family: str) -> str:
    """What the rules of a family are about, in a line."""
    return _TOOL if family == "tool" else (import_module(f"torchlint.rules.{family}").__doc__ or "").strip()


def _row(rule: Rule) -> str:
    page, title = f"[{rule.name}]({rule.family}/{rule.stem}.md)", rule.title.replace("|", "\\|")
    fix = "" if rule.fix is None else "shown" if rule.fix is Applicability.DISPLAY else rule.fix.label
    cells = (rule.code, page, title, "on" if rule.default else "off", fix, "quiet" if rule.quiet_in_tests else "")
    return f"| {' | '.join(cells)} |\n"


def fixtures(rule: Rule) -> Path:
    """The folder of the rule's cases and its scenario; a plugin has it in the folder `fixtures` beside the rule."""
    if rule.plugin is not None:
        return _beside(rule) / "fixtures" / rule.stem
    return fixtures_folder() / rule.family / rule.stem


def _beside(rule: Rule) -> Path:
    """The folder of the module that a plugin's rule stands in."""
    return Path(sys.modules[rule.check.__module__].__file__ or "").parent


def url(rule: Rule) -> str | None:
    """Where the page can be read on the web; None for a plugin's, of which nobody told us."""
    return None if rule.plugin is not None else f"{HOME}/blob/main/rules/{rule.family}/{rule.stem}.md"


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

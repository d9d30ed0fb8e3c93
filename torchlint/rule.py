"""How a rule is declared and found, and what it yields.

A rule is a module `torchlint/rules/<family>/<stem>.py` with one generator function `check(file)` under `@rule(...)`.
Its name, family and page follow from the module's path; nothing is registered anywhere. Rules of other packages are declared in the same
way, and found by `torchlint.plugins`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from torchlint.diagnostic import Severity
from torchlint.edits import Applicability, Edit, Effect

if TYPE_CHECKING:
    import libcst as cst

    from torchlint.model import FileModel
    from torchlint.syntax.file import SourceFile

SAFE, UNSAFE, DISPLAY = Applicability.SAFE, Applicability.UNSAFE, Applicability.DISPLAY
KEEPS, REPAIRS = Effect.KEEPS, Effect.REPAIRS
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

__all__ = ["DISPLAY", "ERROR", "INFO", "KEEPS", "REPAIRS", "SAFE", "UNSAFE", "WARNING", "Finding", "Fix", "Rule", "load_rules", "rule"]

Rewrite = Callable[["SourceFile"], Iterable[Edit]]
"""A promise of edits: positions are only worked out for files that have findings."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One or more rewrites that belong together. Made by the builders of `torchlint.rewrite`; `a + b` joins two."""

    rewrites: tuple[Rewrite, ...]
    applicability: Applicability | None = None
    """Lowers the rule's own level for this finding; it can never raise it."""
    message: str | None = None

    def __add__(self, other: Fix) -> Fix:
        levels = [level for level in (self.applicability, other.applicability) if level is not None]
        return Fix(self.rewrites + other.rewrites, min(levels, default=None), self.message or other.message)

    def at_most(self, applicability: Applicability) -> Fix:
        """The same fix, applied no more freely than this."""
        return replace(self, applicability=applicability if self.applicability is None else min(self.applicability, applicability))

    def saying(self, message: str) -> Fix:
        """The same fix under another title."""
        return replace(self, message=message)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule yields: where, what is wrong and what it costs, what to do, and the fix if there is one."""

    node: cst.CSTNode
    message: str
    help: str | None = None
    fix: Fix | None = None
    related: tuple[tuple[cst.CSTNode, str] | tuple[cst.CSTNode, str, SourceFile], ...] = ()
    """Further places that belong to it, each with what happens there; a place in another file comes with that file's model."""
    alternatives: tuple[Fix, ...] = ()
    """Other good ways to mend it, each with a title of its own: offered by editors and in JSON, applied by nobody else."""
    is_for_askers: bool = False
    """Whether it is true, and nobody misses it: reported only where the rule is selected by its own code, as `torchlint upgrade` does."""


Check = Callable[["FileModel"], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    code: str
    family: str
    stem: str
    """With underscores, as in the path; `name` has hyphens, as users write it."""
    title: str
    """The first line of the module's docstring."""
    check: Check
    severity: Severity
    default: bool
    fix: Applicability | None
    effect: Effect | None
    aliases: tuple[str, ...]
    """TorchFix codes that select or suppress this rule too."""
    mentions: tuple[str, ...]
    """A file whose text holds none of these strings cannot have a finding of this rule, and is not even parsed for it."""
    quiet_in_tests: bool = False
    """Whether all the mistake costs is time or memory, which nobody misses in a test: quiet there unless its own code is selected."""
    by_version: bool = False
    """Whether what it finds follows from what some version of torch lacks, gives up or does in another way: `torchlint upgrade` runs it."""
    plugin: str | None = None
    """The plugin that it came with; None for the rules that ship with torchlint."""

    @property
    def name(self) -> str:
        return self.stem.replace("_", "-")


def rule(
    code: str,
    *,
    severity: Severity,
    fix: Applicability | None = None,
    effect: Effect | None = None,
    default: bool = True,
    aliases: tuple[str, ...] = (),
    mentions: tuple[str, ...],
    quiet_in_tests: bool = False,
    by_version: bool | None = None,
) -> Callable[[Check], Rule]:
    """Turn a `check(file)` generator into a `Rule`. Family, stem and title come from the module that it stands in.

    `by_version` need not be said of the rules of the family `api` that are on by default: that is what they are about.
    """

    def declare(check: Check) -> Rule:
        module = importlib.import_module(check.__module__)
        *around, stem = check.__module__.split(".")
        family = around[-1] if around else stem
        title = (module.__doc__ or "").strip().split("\n")[0]
        versioned = by_version if by_version is not None else default and family == "api"
        return Rule(code, family, stem, title, check, severity, default, fix, effect, aliases, mentions, quiet_in_tests, versioned)

    return declare


@cache
def load_rules() -> tuple[Rule, ...]:
    """Every rule that ships with torchlint, by code. Modules whose name starts with `_` are not rules."""
    from torchlint import rules

    found = []
    for module in pkgutil.walk_packages(rules.__path__, rules.__name__ + "."):
        if module.ispkg or module.name.rsplit(".", 1)[-1].startswith("_"):
            continue
        found.append(importlib.import_module(module.name).check)
    return tuple(sorted(found, key=lambda each: each.code))

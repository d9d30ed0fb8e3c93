"""Rules of other packages: those of installed ones that say so by an entry point, and the modules that a configuration names.

A plugin is a package whose modules are rules, declared with `torchlint.rule.rule` as ours are, or a single such module. It is
imported by its name, from where Python finds installed packages, once in each process. Which of its rules are on is for
`torchlint.selection` to say.
"""

from __future__ import annotations

import glob
import importlib
import os
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from torchlint.settings import SettingsError

if TYPE_CHECKING:
    from torchlint.rule import Rule

GROUP = "torchlint.rules"
"""The group of entry points by which an installed package says that it holds rules."""
CODE = re.compile(r"(?P<prefix>[A-Z]+)\d+")
RESERVED = ("ALL", "TL", "TOR")

_loaded: dict[str, tuple[Rule, ...]] = {}
"""What this process has loaded, by the name of the plugin."""


@cache
def installed() -> tuple[str, ...]:
    """The modules that installed packages name in their entry points."""
    if not any(map(_announces, sys.path)):
        return ()
    from importlib.metadata import entry_points

    return tuple(sorted({each.module for each in entry_points(group=GROUP)}))


def _announces(folder: str) -> bool:
    """Whether a package in this folder may name some. To have all of them read by `importlib.metadata` takes longer than many a check."""
    for name in glob.iglob(os.path.join(glob.escape(folder or os.curdir), "*-info", "entry_points.txt")):
        with suppress(OSError), open(name, "rb") as file:
            if GROUP.encode() in file.read():
                return True
    return False


def load(names: Iterable[str], shipped: Sequence[Rule]) -> bool:
    """Load those of these plugins that are not loaded yet, and say whether there were any. `SettingsError` for one that cannot be used."""
    new = [name for name in dict.fromkeys(names) if name not in _loaded]
    for name in new:
        found = tuple(sorted(_rules(name), key=lambda rule: rule.code))
        taken = [*shipped, *rules()]
        for rule in found:
            _refuse_conflicts(rule, taken)
            taken.append(rule)
        _loaded[name] = found
    return bool(new)


def rules() -> tuple[Rule, ...]:
    """The rules of all plugins that this process has loaded, by code."""
    return tuple(sorted((rule for each in _loaded.values() for rule in each), key=lambda rule: rule.code))


def _rules(plugin: str) -> Iterator[Rule]:
    from torchlint.rule import Rule

    package = _imported(plugin, plugin)
    modules = [package]
    if hasattr(package, "__path__"):
        found = (each.name for each in pkgutil.iter_modules(package.__path__) if not each.ispkg and not each.name.startswith("_"))
        modules = [_imported(f"{plugin}.{name}", plugin) for name in found]
    for module in modules:
        check = getattr(module, "check", None)
        if not isinstance(check, Rule):
            raise _unusable(plugin, f"`{module.__name__}` has no function `check` under `@rule`; a module that is no rule begins with `_`")
        yield replace(check, plugin=plugin)


def _imported(name: str, plugin: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # whatever somebody else's module does, the user is told which one it was
        reason = f"{type(error).__name__}: {error}".split("\n")[0]
        raise _unusable(plugin, f"`{name}` cannot be imported: {reason}") from error


def _refuse_conflicts(rule: Rule, taken: Iterable[Rule]) -> None:
    code = CODE.fullmatch(rule.code)
    if code is None or code["prefix"] in RESERVED:
        raise _unusable(rule.plugin, f"`{rule.code}` is no code for it; capital letters of its own and a number are, such as ACME101")
    for other in taken:
        for mine, theirs in ((rule.code, other.code), (rule.name, other.name)):
            if mine == theirs:
                raise _unusable(rule.plugin, f"a rule of {other.plugin or 'torchlint'} is called `{mine}` too")


def _unusable(plugin: str | None, reason: str) -> SettingsError:
    return SettingsError(f"the plugin `{plugin}` cannot be used: {reason}")

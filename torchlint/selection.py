"""Which rules are on for a file, and how far their fixes may go.

A selector is a code (`TL102`), a prefix (`TL1`), a name (`graph-kept-in-total`), a TorchFix alias (`TOR101`) or `ALL`; those of plugins
have prefixes of their own. Within one
layer of settings the more precise selector wins, and `ignore` wins over a selector as precise; a later layer wins over an earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache

from torchlint import plugins
from torchlint.diagnostic import Severity
from torchlint.edits import Applicability, Effect
from torchlint.rule import Rule, load_rules
from torchlint.settings import DEFAULT_TEST_FILES, Settings, nearest
from torchlint.sources.patterns import matcher, relative

_EXACT = 99
_CODES = re.compile(r"(?P<letters>[A-Z]+)\d*")
"""A code, or the beginning of one."""
_DEFAULT_TEST = re.compile(r"(?:^|/)(?:tests/|test_[^/]*\.py$|[^/]*_test\.py$|conftest\.py$)")
_AMONG_TESTS = re.compile(r"(?:^|/)(?:test[^/]*/|conftest\.py$)")
_TAKES_OPTIONS = re.compile(r"\b(?:ArgumentParser|OptionParser|Fire)\(|\bsys\.argv\b|@(?:click|hydra)\.|\bflags\.DEFINE_|\btyro\.cli\(")
_DEFINES_TESTS = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def[ \t]+test_|class[ \t]+Test)|\b(?:pytest|unittest)\b", re.MULTILINE)


def _finds_nothing(_file: object) -> Iterator[object]:
    return iter(())


def _own(code: str, stem: str, title: str, severity: Severity, fix: Applicability | None = None) -> Rule:
    effect = Effect.KEEPS if fix is not None else None
    return Rule(code, "tool", stem, title, _finds_nothing, severity, True, fix, effect, (), ())  # type: ignore[arg-type]


INTERNAL_ERROR = _own("TL000", "internal_error", "A rule of torchlint raised an exception on this file.", Severity.ERROR)
SYNTAX_ERROR = _own("TL001", "syntax_error", "A file that cannot be read as Python 3.", Severity.ERROR)
UNUSED_SUPPRESSION = _own("TL002", "unused_suppression", "A suppression that suppresses nothing.", Severity.WARNING, Applicability.SAFE)
OWN_RULES = (INTERNAL_ERROR, SYNTAX_ERROR, UNUSED_SUPPRESSION)
"""What the tool itself reports. No check stands behind these: the engine and `torchlint.suppress` make their findings."""


class SelectorError(ValueError):
    """A selector that names no rule; the message says which, where, and what is nearest."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule by code: the tool's own, those that ship with it, and those of plugins, installed ones and others that are loaded.

    `SettingsError` for a plugin that cannot be used.
    """
    load_plugins()
    return (*OWN_RULES, *load_rules(), *plugins.rules())


def load_plugins(names: Iterable[str] = ()) -> None:
    """Let the rules of installed plugins and of these be known from now on. `SettingsError` for one that cannot be used."""
    if plugins.load((*plugins.installed(), *names), (*OWN_RULES, *load_rules())):
        for each in (all_rules, named, _resolve, _selected_codes, _spared_in_tests, _file_ignores):
            each.cache_clear()


@cache
def named(name: str) -> tuple[Rule, ...]:
    """The rules that go by this code, name or alias: one, several for an alias that we split, or none."""
    return tuple(rule for rule in all_rules() if name in (rule.code, rule.name, *rule.aliases))


def spelled(name: str) -> str:
    """A selector typed on the command line, the way rules write it: codes in capitals, names in small letters with hyphens."""
    code = name.upper()
    return code if re.fullmatch(r"(TL|TOR)\d*|ALL|[A-Z]+\d+", code) or _beginning_with(code) else name.lower().replace("_", "-")


def known_names() -> list[str]:
    """Every code, name and alias."""
    return [name for rule in all_rules() for name in (rule.code, rule.name, *rule.aliases)]


def enabled_rules(settings: Settings, path: str, text: str = "") -> tuple[Rule, ...]:
    """The rules to run on this file, by code, without the tool's own."""
    codes = enabled_codes(settings, path, text)
    return tuple(rule for rule in (*load_rules(), *plugins.rules()) if rule.code in codes)


def enabled_codes(settings: Settings, path: str, text: str = "") -> frozenset[str]:
    """The codes that can be reported for this file, the tool's own included. Failures of the tool always can.

    The text tells a program that tests a network, `test.py` beside `train.py`, from tests.
    """
    codes = _selected_codes(settings)
    spared = _spared_in_tests(settings)
    if not codes.isdisjoint(spared) and _is_test(settings, path, text):
        codes -= spared
    if settings.per_file_ignores:
        location = relative(path, settings.root)
        for matches, ignored in _file_ignores(settings):
            if matches(location):
                codes -= ignored
    return codes | {INTERNAL_ERROR.code}


def fix_applicability(settings: Settings, rule: Rule, applicability: Applicability) -> Applicability | None:
    """How freely a fix of this rule may be applied under these settings; None if it is not to be offered at all."""
    if not _wins(rule.code, settings.fixable, settings.unfixable):
        return None
    if applicability == Applicability.DISPLAY:
        return applicability
    promoted, demoted = settings.extend_safe_fixes, settings.extend_unsafe_fixes
    if applicability == Applicability.UNSAFE and _wins(rule.code, promoted, demoted):
        return Applicability.SAFE
    if applicability == Applicability.SAFE and _wins(rule.code, demoted, promoted):
        return Applicability.UNSAFE
    return applicability


def validate(settings: Settings) -> None:
    """Raise `SelectorError` if a selector names no rule, `PatternError` for a pattern that is none, `SettingsError` for a bad plugin."""
    load_plugins(settings.plugins)
    _tests(settings.test_files)
    for place, selector in settings.selectors():
        if not _resolve(selector)[1]:
            close = nearest(selector, (*known_names(), "ALL"))
            raise SelectorError(f"{place}: no rule is called `{selector}`; the nearest is `{close}`")
        if "ignore" in place and selector in (INTERNAL_ERROR.code, INTERNAL_ERROR.name):
            raise SelectorError(f"{place}: `{selector}` is a failure of torchlint itself; ignore the rule that fails instead")
    _file_ignores(settings)


@cache
def _resolve(selector: str) -> tuple[int, frozenset[str]]:
    """How precise the selector is, and the codes that it stands for."""
    if selector == "ALL":
        return 0, frozenset(rule.code for rule in all_rules())
    if exact := named(selector):
        return _EXACT, frozenset(rule.code for rule in exact)
    if matching := _beginning_with(selector):
        return 1 + sum(map(str.isdigit, selector)), frozenset(rule.code for rule in matching)
    return _EXACT, frozenset()


def _beginning_with(prefix: str) -> list[Rule]:
    """The rules whose codes or aliases have all of these letters and begin with these digits."""
    letters = _letters(prefix)
    if letters is None:
        return []
    return [
        rule for rule in all_rules() if any(each.startswith(prefix) and _letters(each) == letters for each in (rule.code, *rule.aliases))
    ]


def _letters(code: str) -> str | None:
    found = _CODES.fullmatch(code)
    return found["letters"] if found else None


def _precision(code: str, selectors: Iterable[str]) -> int:
    """How precisely the selectors name this code; -1 if they do not."""
    return max((precision for precision, codes in map(_resolve, selectors) if code in codes), default=-1)


def _wins(code: str, wanted: Iterable[str], unwanted: Iterable[str]) -> bool:
    return _precision(code, wanted) > _precision(code, unwanted)


@lru_cache(maxsize=256)
def _selected_codes(settings: Settings) -> frozenset[str]:
    """What one layer selects on its own, or what it makes of the selection below."""
    load_plugins(settings.plugins)
    if settings.below is None:
        before = frozenset(rule.code for rule in all_rules() if rule.default)
    else:
        before = _selected_codes(settings.below)
    if settings.select is not None:
        # What is not code of the user's choosing but a failure to read it is reported whatever was selected, unless it is ignored.
        before = frozenset({SYNTAX_ERROR.code})
    lowest = Severity[settings.severity.upper()]
    wanted = (*(settings.select or ()), *settings.extend_select)
    selected = set()
    present = (None, *plugins.installed(), *settings.plugins)
    for rule in all_rules():
        if rule.plugin not in present:
            continue  # other folders have it
        given, refused = _precision(rule.code, wanted), _precision(rule.code, settings.ignore)
        if given == refused == -1:
            keep = rule.code in before
        else:
            keep = given > refused
        if keep and rule.severity >= lowest:
            selected.add(rule.code)
    return frozenset(selected)


@lru_cache(maxsize=256)
def _spared_in_tests(settings: Settings) -> frozenset[str]:
    """The rules that are quiet in tests: those that say so of themselves, and that nobody asked for by their own codes."""
    return frozenset(rule.code for rule in all_rules() if rule.quiet_in_tests) - asked_for(settings)


@lru_cache(maxsize=256)
def asked_for(settings: Settings) -> frozenset[str]:
    """The codes of the rules that somebody selected by their own code, name or alias, or by how aliases begin: who says `TOR` wants what
    TorchFix found."""
    asked: list[str] = []
    layer: Settings | None = settings
    while layer is not None:
        asked += (*(layer.select or ()), *layer.extend_select)
        layer = layer.below if layer.select is None else None
    return frozenset(rule.code for rule in all_rules() if _precision(rule.code, asked) >= _EXACT or _is_named_elsewhere(rule, asked))


def _is_named_elsewhere(rule: Rule, selectors: Iterable[str]) -> bool:
    return any(rule in _beginning_with(each) and not rule.code.startswith(each) for each in selectors)


@lru_cache(maxsize=64)
def _tests(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a file is called as tests are. The default is told without pathspec, whose import takes longer than many a check."""
    if patterns == DEFAULT_TEST_FILES:
        return lambda location: _DEFAULT_TEST.search(location) is not None
    return matcher(patterns)


def _is_test(settings: Settings, path: str, text: str) -> bool:
    """Whether a file is a test: by its name, unless nobody chose what names tests have and what it holds is a program with options."""
    location = relative(path, settings.root)
    if not _tests(settings.test_files)(location):
        return False
    if settings.test_files != DEFAULT_TEST_FILES or _AMONG_TESTS.search(location):
        return True
    return _TAKES_OPTIONS.search(text) is None or _DEFINES_TESTS.search(text) is not None


@lru_cache(maxsize=256)
def _file_ignores(settings: Settings) -> tuple[tuple[Callable[[str], bool], frozenset[str]], ...]:
    found = []
    for pattern, selectors in settings.per_file_ignores:
        codes = frozenset(code for selector in selectors for code in _resolve(selector)[1])
        found.append((_outside(pattern[1:]) if pattern.startswith("!") else matcher((pattern,)), codes))
    return tuple(found)


def _outside(pattern: str) -> Callable[[str], bool]:
    inside = matcher((pattern,))
    return lambda location: not inside(location)

"""Which rules selectors turn on and off, and how far fixes may go."""

from pathlib import Path

import pytest

from torchlint import selection
from torchlint.edits import Applicability
from torchlint.rule import load_rules
from torchlint.selection import SelectorError, enabled_codes, enabled_rules, fix_applicability, named, spelled, validate
from torchlint.settings import DEFAULT_TEST_FILES, Settings

ALL = {rule.code for rule in load_rules()}
ON = {rule.code for rule in load_rules() if rule.default}
ALWAYS = {"TL000", "TL001"}


def beginning(prefix: str) -> set[str]:
    return {code for code in ALL if code.startswith(prefix)}


def codes(settings: Settings, path: str = "a.py") -> set[str]:
    return {rule.code for rule in enabled_rules(settings, path)}


def test_by_default_the_rules_run_that_are_on_by_default() -> None:
    assert codes(Settings()) == {rule.code for rule in load_rules() if rule.default}
    assert {"TL000", "TL001", "TL002"} <= enabled_codes(Settings(), "a.py")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(select=("TL102",)), {"TL102"}),
        (Settings(select=("graph-kept-in-total",)), {"TL102"}),
        (Settings(select=("TL1",)), beginning("TL1")),
        (Settings(select=("ALL",)), ALL),
        (Settings(select=("TL",)), ALL),
        (Settings(select=()), set()),
        (Settings(select=("TL102",), extend_select=("TL701",)), {"TL102", "TL701"}),
        (Settings(ignore=("TL102",)), ON - {"TL102"}),
        (Settings(select=("TL1",), ignore=("TL102",)), beginning("TL1") - {"TL102"}),
        (Settings(select=("TL102",), ignore=("TL1",)), {"TL102"}),
        (Settings(select=("TL102",), ignore=("TL102",)), set()),
        (Settings(select=("ALL",), ignore=("TL",)), set()),
        (Settings(select=("TL10",), ignore=("TL1",)), beginning("TL10")),
    ],
)
def test_the_more_precise_selector_wins(settings: Settings, expected: set[str]) -> None:
    assert codes(settings) == expected


def test_a_later_layer_wins_over_a_more_precise_selector_below() -> None:
    below = Settings(select=("TL102", "TL701"))

    assert codes(below.over({"ignore": ("TL1",)}, None)) == {"TL701"}
    assert codes(below.over({"extend-select": ("TL101",)}, None)) == {"TL101", "TL102", "TL701"}
    assert codes(below.over({"select": ("TL201",)}, None)) == {"TL201"}


def test_rules_that_are_off_by_default_run_when_a_prefix_selects_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    rules = tuple(replace(rule, default=rule.code != "TL102", aliases=("TOR101",) if rule.code == "TL102" else ()) for rule in load_rules())
    monkeypatch.setattr(selection, "load_rules", lambda: rules)
    caches = (selection.all_rules, selection.named, selection._resolve, selection._selected_codes)
    for cached in caches:
        cached.cache_clear()
    try:
        assert codes(Settings()) == ALL - {"TL102"}
        assert codes(Settings(select=("TL1",))) == beginning("TL1")
        assert codes(Settings(select=("TOR101",))) == codes(Settings(select=("TOR1",))) == {"TL102"}
        assert [rule.code for rule in named("TOR101")] == ["TL102"]
    finally:
        for cached in caches:
            cached.cache_clear()


def test_failures_to_read_a_file_are_reported_whatever_was_selected() -> None:
    assert enabled_codes(Settings(select=("TL102",)), "a.py") == ALWAYS | {"TL102"}
    assert "TL001" not in enabled_codes(Settings(ignore=("syntax-error",)), "a.py")
    assert "TL000" in enabled_codes(Settings(ignore=("ALL",)), "a.py")


def test_rules_below_the_severity_do_not_run() -> None:
    errors = {rule.code for rule in load_rules() if rule.severity.label == "error" and rule.default}

    assert codes(Settings(severity="error")) == errors
    assert "TL002" not in enabled_codes(Settings(severity="error"), "a.py")


@pytest.mark.parametrize(
    ("pattern", "path", "ignored"),
    [
        ("tests/*", "tests/test_a.py", True),
        ("tests/*", "src/tests/test_a.py", False),
        ("test_*.py", "src/tests/test_a.py", True),
        ("**/tests/**", "src/tests/test_a.py", True),
        ("__init__.py", "src/__init__.py", True),
        ("!src/**", "tests/test_a.py", True),
        ("!src/**", "src/a.py", False),
    ],
)
def test_per_file_ignores_follow_patterns_from_the_root(pattern: str, path: str, ignored: bool, tmp_path: Path) -> None:
    settings = Settings(select=("TL102",), per_file_ignores=((pattern, ("TL1",)),), root=tmp_path)

    assert ("TL102" not in codes(settings, str(tmp_path / path))) == ignored


def test_a_file_outside_of_the_root_is_matched_by_its_name(tmp_path: Path) -> None:
    settings = Settings(per_file_ignores=(("a.py", ("TL102",)), (f"{tmp_path.name}/", ("TL101",))), root=tmp_path / "inside")

    assert ON - codes(settings, str(tmp_path / "a.py")) == {"TL102"}


def test_an_unknown_selector_is_named_with_its_place_and_the_nearest_one() -> None:
    with pytest.raises(SelectorError, match=r"--select: no rule is called `graph-kept-in-totl`; the nearest is `graph-kept-in-total`"):
        validate(Settings(select=("graph-kept-in-totl",)))
    with pytest.raises(SelectorError, match=r"a\.toml: `ignore`: no rule is called `TL99`; the nearest is `TL"):
        validate(Settings().over({"ignore": ("TL99",)}, "a.toml").over({"select": ("TL1",)}, None))
    with pytest.raises(SelectorError, match=r"`per-file-ignores`: no rule is called `tl102`; the nearest is `TL102`"):
        validate(Settings(per_file_ignores=(("*", ("tl102",)),), origin="a.toml"))


def test_a_failure_of_the_tool_itself_cannot_be_ignored() -> None:
    with pytest.raises(SelectorError, match="ignore the rule that fails instead"):
        validate(Settings(ignore=("TL000",)))


SAFE, UNSAFE, DISPLAY = Applicability.SAFE, Applicability.UNSAFE, Applicability.DISPLAY


@pytest.mark.parametrize(
    ("settings", "before", "after"),
    [
        (Settings(), SAFE, SAFE),
        (Settings(unfixable=("TL102",)), SAFE, None),
        (Settings(fixable=("TL2",)), SAFE, None),
        (Settings(fixable=("TL102",), unfixable=("TL1",)), SAFE, SAFE),
        (Settings(fixable=("ALL",), unfixable=("ALL",)), DISPLAY, None),
        (Settings(extend_safe_fixes=("TL102",)), UNSAFE, SAFE),
        (Settings(extend_safe_fixes=("TL102",)), DISPLAY, DISPLAY),
        (Settings(extend_unsafe_fixes=("TL1",)), SAFE, UNSAFE),
        (Settings(extend_safe_fixes=("TL102",), extend_unsafe_fixes=("TL1",)), UNSAFE, SAFE),
        (Settings(extend_safe_fixes=("TL1",), extend_unsafe_fixes=("TL102",)), SAFE, UNSAFE),
        (Settings(extend_safe_fixes=("TL7",)), UNSAFE, UNSAFE),
    ],
)
def test_settings_raise_lower_and_withhold_fixes(settings: Settings, before: Applicability, after: Applicability | None) -> None:
    [rule] = named("TL102")

    assert fix_applicability(settings, rule, before) is after


TESTS = ("tests/a.py", "src/tests/deep/a.py", "test_a.py", "src/a_test.py", "conftest.py")
NO_TESTS = ("a.py", "latest/a.py", "src/testing.py", "tests.py", "a_test.pyi", "contest.py", "mytest_a.py")
QUIET = {rule.code for rule in load_rules() if rule.quiet_in_tests and rule.default}


@pytest.mark.parametrize("patterns", [DEFAULT_TEST_FILES, (*DEFAULT_TEST_FILES, "*.nothing")], ids=["default", "as patterns"])
def test_rules_about_cost_alone_are_quiet_in_tests(tmp_path: Path, patterns: tuple[str, ...]) -> None:
    settings = Settings(root=tmp_path, test_files=patterns)

    assert {"TL101", "TL102", "TL401", "TL402", "TL701"} <= QUIET < ALL
    for name in TESTS:
        assert enabled_codes(Settings(root=tmp_path, test_files=()), "x.py") - enabled_codes(settings, str(tmp_path / name)) == QUIET
    for name in NO_TESTS:
        assert enabled_codes(settings, str(tmp_path / name)) >= QUIET


OPTIONS = "from argparse import ArgumentParser\nparser = ArgumentParser()\n"


@pytest.mark.parametrize(
    ("path", "text", "patterns", "is_test"),
    [
        ("test_faces.py", OPTIONS, DEFAULT_TEST_FILES, False),
        ("deep/words_test.py", OPTIONS + "def test(net, batches): ...\n", DEFAULT_TEST_FILES, False),
        ("test_faces.py", "net = build()\n", DEFAULT_TEST_FILES, True),
        ("test_faces.py", OPTIONS + "def test_one(): ...\n", DEFAULT_TEST_FILES, True),
        ("test_faces.py", OPTIONS + "import unittest\n", DEFAULT_TEST_FILES, True),
        ("tests/words_test.py", OPTIONS, DEFAULT_TEST_FILES, True),
        ("test_tools/test_words.py", OPTIONS, DEFAULT_TEST_FILES, True),
        ("conftest.py", OPTIONS, DEFAULT_TEST_FILES, True),
        ("test_faces.py", OPTIONS, ("test_*.py",), True),
    ],
)
def test_a_program_with_options_is_no_test_whatever_it_is_called(path: str, text: str, patterns: tuple[str, ...], is_test: bool) -> None:
    settings = Settings(root=Path.cwd(), test_files=patterns)

    assert (enabled_codes(settings, path, text) & QUIET == set()) is is_test


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ([{"select": ("TL102",)}], {"TL102"}),
        ([{"extend-select": ("graph-kept-in-total", "TL1")}], {"TL102"}),
        ([{"select": ("TL1", "ALL")}], set()),
        ([{"extend-select": ("TL102",)}, {"extend-select": ("TL401",)}], {"TL102", "TL401"}),
        ([{"extend-select": ("TL102",)}, {"select": ("ALL",)}], set()),
        ([{"select": ("TL102",)}, {"ignore": ("TL102",)}], set()),
        ([{"test-files": ()}], QUIET),
        ([{"test-files": ("checks/",)}], QUIET),
    ],
)
def test_a_rule_selected_by_its_own_code_speaks_in_tests_too(layers: list[dict[str, tuple[str, ...]]], left: set[str]) -> None:
    settings = Settings(root=Path.cwd())
    for layer in layers:
        settings = settings.over(layer, None)

    assert enabled_codes(settings, "tests/a.py") & QUIET == left


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tl102", "TL102"),
        ("Tl1", "TL1"),
        ("tor101", "TOR101"),
        ("all", "ALL"),
        ("missing_zero_grad", "missing-zero-grad"),
        ("Data-Parallel", "data-parallel"),
    ],
)
def test_a_selector_may_be_typed_in_any_spelling(typed: str, meant: str) -> None:
    assert spelled(typed) == meant

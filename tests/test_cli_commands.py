"""The other commands, and how commands are found."""

import json
import re

import pytest
from commands import Torchlint

from torchlint import __version__
from torchlint.rule import load_rules
from torchlint.rulebook import fixtures, page, rulebook_folder
from torchlint.selection import OWN_RULES, all_rules
from torchlint.settings import KEYS


def test_every_module_of_the_command_line_is_a_command(torchlint: Torchlint) -> None:
    result = torchlint("--help")

    assert result.status == 0
    names = [line.split()[0] for line in result.out.split("Commands:\n")[1].splitlines()]
    assert names == ["check", "clean", "config", "corpus", "doctor", "rule", "sanity", "server", "upgrade"]


def test_without_arguments_help_is_shown(torchlint: Torchlint) -> None:
    result = torchlint()

    assert "Commands:" in result.out + result.err


def test_version(torchlint: Torchlint) -> None:
    assert torchlint("--version").out == f"torchlint {__version__}\n"


@pytest.mark.parametrize("arguments", [("nothing",), ("os",), ("check.x",)])
def test_what_is_no_command_is_2(torchlint: Torchlint, arguments: tuple[str, ...]) -> None:
    assert torchlint(*arguments).status == 2


def test_rules_are_listed_with_default_and_fix(torchlint: Torchlint) -> None:
    lines = torchlint("rule").out.splitlines()

    assert [line.split()[0] for line in lines if line.startswith("TL")] == [rule.code for rule in all_rules()]
    assert any(line.split()[:4] == ["TL102", "graph-kept-in-total", "on", "safe"] for line in lines)


@pytest.mark.parametrize("name", ["TL102", "tl102", "graph-kept-in-total", "graph_kept_in_total"])
def test_a_rules_page_is_printed_as_it_is_written_where_there_is_no_terminal(torchlint: Torchlint, name: str) -> None:
    [rule] = [rule for rule in load_rules() if rule.code == "TL102"]
    result = torchlint("rule", name)

    assert (result.status, result.out) == (0, page(rule) + "\n")


def test_a_rules_page_is_rendered_on_a_terminal(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = torchlint("rule", "TL102").out

    assert "TL102 graph-kept-in-total" in out
    assert "\x1b[" in out and "## What it does" not in out


def test_rules_are_described_in_json(torchlint: Torchlint) -> None:
    everything = json.loads(torchlint("rule", "--output-format", "json").out)
    [one] = json.loads(torchlint("rule", "TL102", "--output-format", "json").out)

    assert [each["code"] for each in everything] == [rule.code for rule in all_rules()]
    assert (one["name"], one["family"], one["fix"], one["effect"]) == ("graph-kept-in-total", "autograd", "safe", "keeps")
    assert one["page"].startswith("# TL102") and "page" not in everything[0]


def test_the_index_of_the_rule_book_is_current(torchlint: Torchlint) -> None:
    """After a change of a rule's name, title, default or fix: `torchlint rule --output-format markdown > rules/README.md`"""
    written = (rulebook_folder() / "README.md").read_text(encoding="utf-8")

    assert torchlint("rule", "--output-format", "markdown").out == written
    assert re.findall(r"^\| (TL\d{3}) \|", written, re.MULTILINE) == [rule.code for rule in all_rules()]
    assert [path for path in re.findall(r"\]\((.+?)\)", written) if not (rulebook_folder() / path).is_file()] == []


def test_a_page_in_markdown_is_the_page_as_it_is_written(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    [rule] = [rule for rule in load_rules() if rule.code == "TL102"]

    assert torchlint("rule", "TL102", "--output-format", "markdown").out == page(rule)


def test_an_unknown_rule_is_2_and_names_the_nearest(torchlint: Torchlint) -> None:
    result = torchlint("rule", "graph-kept-in-toal")

    assert (result.status, "the nearest is `graph-kept-in-total`" in result.err) == (2, True)


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_has_a_page_and_those_that_check_have_cases(rule: type) -> None:
    assert page(rule).startswith(f"# {rule.code} {rule.name}\n")
    assert rule in OWN_RULES or fixtures(rule).is_dir()


def test_keys_are_listed_and_explained(torchlint: Torchlint) -> None:
    listed = [line.split()[0] for line in torchlint("config").out.splitlines()]

    assert listed == ["extend", *KEYS]
    for key in listed:
        result = torchlint("config", key)
        assert result.status == 0 and result.out.startswith(f"{key}: ") and "Default: " in result.out
    assert 'Default: ["*.py", "*.pyi", "*.ipynb", "*.md"]' in torchlint("config", "include").out


def test_an_unknown_key_is_2_and_names_the_nearest(torchlint: Torchlint) -> None:
    result = torchlint("config", "slect")

    assert (result.status, "the nearest is `select`" in result.err) == (2, True)

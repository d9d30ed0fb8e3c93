"""The tables about other linters name rules that exist, and every code of TorchFix leads to the rules that it selects."""

import re
from pathlib import Path

import pytest

from torchlint.rule import load_rules
from torchlint.selection import named

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "rules" / "other-linters.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ") and "TL" in line]
TORCHFIX = [(codes.split(", "), rules.split(", ")) for codes, _, rules in (row for row in ROWS if row[0].startswith("TOR"))]
CODES = {rule.code: rule for rule in load_rules()}


def test_every_rule_that_a_table_names_exists() -> None:
    assert {code for row in ROWS for code in re.findall(r"TL\d+", row[-1])} <= set(CODES)


@pytest.mark.parametrize(("codes", "rules"), [pytest.param(*each, id=each[0][0]) for each in TORCHFIX])
def test_code_of_torchfix_selects_the_rules_beside_it(codes: list[str], rules: list[str]) -> None:
    assert {rule.code for code in codes for rule in named(code)} == set(rules)


def test_every_alias_of_a_rule_stands_in_the_table() -> None:
    assert {alias for rule in CODES.values() for alias in rule.aliases} == {code for codes, _ in TORCHFIX for code in codes}


@pytest.mark.parametrize(
    "link", re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE + (ROOT / "docs" / "coming-from-torchfix.md").read_text(encoding="utf-8"))
)
def test_link_leads_to_a_page(link: str) -> None:
    assert any((ROOT / folder / link).resolve().is_file() for folder in ("rules", "docs"))

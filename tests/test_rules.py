"""Every rule over every one of its cases, and every rule over everyone else's.

In a case file, a line on which findings start ends in `# expect: TL102` (one code per finding), and a comment
`# case: what is special here` opens each case. `bad*.py` holds mistakes and `bad*.fixed.py` what fixing makes of them,
`good*.py` holds code that looks like the mistake and is not. `# miss: TL102` marks a mistake that the rule knowingly does not see;
where it learns to, the mark becomes an expectation. `bad_asked*.py` holds mistakes that weigh too little to be told unasked: they are
found where the rule is selected by its own code, and not by default; `bad_told*.py` what such a rule tells everybody. `maybe*.py` holds
code on which either verdict is fair: it is read without a failure.
"""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.rule import DISPLAY, Rule, load_rules
from torchlint.settings import Settings

FIXTURES = Path(__file__).parents[1] / "fixtures"
RULES = load_rules()
QUIET_CASES, BAD_CASES = 8, 6
QUIET_CASES_OF_OFF, BAD_CASES_OF_OFF = 3, 2
"""For a rule that is off by default."""

EXPECT = re.compile(r"# expect: (TL\d{3}(?:, TL\d{3})*)\s*$")
MISS = re.compile(r"# miss: TL\d{3}\s*$", re.MULTILINE)
CASE = re.compile(r"^\s*# case: (?P<title>\S.*)$")


def folder(rule: Rule) -> Path:
    return FIXTURES / rule.family / rule.stem


def sources(rule: Rule, prefix: str) -> list[Path]:
    return [path for path in sorted(folder(rule).glob(f"{prefix}*.py")) if not path.stem.endswith(".fixed")]


def fixed_beside(path: Path) -> Path:
    return path.with_name(path.stem + ".fixed.py")


BAD = [pytest.param(rule, path, id=f"{rule.code}-{path.stem}") for rule in RULES for path in sources(rule, "bad")]
GOOD = [pytest.param(rule, path, id=f"{rule.code}-{path.stem}") for rule in RULES for path in sources(rule, "good")]
ASKED = [pytest.param(rule, path, id=f"{rule.code}-{path.stem}") for rule in RULES for path in sources(rule, "bad_asked")]
TOLD = [pytest.param(rule, path, id=f"{rule.code}-{path.stem}") for rule in RULES for path in sources(rule, "bad_told")]
MAYBE = [pytest.param(path, id=f"{rule.code}-{path.stem}") for rule in RULES for path in sources(rule, "maybe")]
EVERY_FILE = [pytest.param(path, id=str(path.relative_to(FIXTURES))) for path in sorted(FIXTURES.rglob("*.py"))]
EVERY_RULE = [pytest.param(rule, id=rule.code) for rule in RULES]


@cache
def read(path: Path) -> str:
    return path.read_bytes().decode()


@cache
def fixed(path: Path, code: str) -> str:
    return fix(read(path), only(code), path=str(path), applicability=Applicability.UNSAFE).text


def only(code: str) -> Settings:
    return Settings(select=(code,))


def expected(text: str, code: str) -> list[tuple[int, str]]:
    """The rows at which this rule is expected, as often as it is."""
    marks = ((row, EXPECT.search(line)) for row, line in enumerate(text.splitlines(), start=1))
    return [(row, code) for row, mark in marks if mark for each in mark[1].split(", ") if each == code]


def comments(text: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


def cases(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each `# case:` with the lines that belong to it: up to the next one."""
    title: str | None = None
    lines: list[str] = []
    for line in text.splitlines():
        if mark := CASE.match(line):
            if title is not None:
                yield title, lines
            title, lines = mark["title"], []
        else:
            lines.append(line)
    if title is not None:
        yield title, lines


@pytest.mark.parametrize(("rule", "path"), BAD)
def test_fires_exactly_where_expected(rule: Rule, path: Path) -> None:
    found = [(each.location.row, each.code) for each in lint(read(path), only(rule.code), path=str(path))]

    assert found == expected(read(path), rule.code)


@pytest.mark.parametrize(("rule", "path"), GOOD)
def test_all_rules_together_are_silent_on_good_code(rule: Rule, path: Path) -> None:
    found = lint(read(path), Settings(extend_select=(rule.code,)), path=str(path))

    assert [(each.location.row, each.code, each.message) for each in found] == []


@pytest.mark.parametrize(("rule", "path"), ASKED)
def test_what_weighs_little_is_told_only_to_who_asks(rule: Rule, path: Path) -> None:
    assert [(each.location.row, each.code) for each in lint(read(path), path=str(path)) if each.code == rule.code] == []


@pytest.mark.parametrize(("rule", "path"), TOLD)
def test_what_weighs_more_is_told_unasked(rule: Rule, path: Path) -> None:
    found = [(each.location.row, each.code) for each in lint(read(path), path=str(path)) if each.code == rule.code]

    assert found == expected(read(path), rule.code)


@pytest.mark.parametrize("path", MAYBE)
def test_code_that_may_be_judged_either_way_is_read(path: Path) -> None:
    assert [each.code for each in lint(read(path), path=str(path)) if each.code < "TL100"] == []


@pytest.mark.parametrize(("rule", "path"), BAD)
def test_fix_gives_the_recorded_text_byte_for_byte(rule: Rule, path: Path) -> None:
    recorded = fixed_beside(path)

    assert fixed(path, rule.code) == read(recorded if recorded.exists() else path)


@pytest.mark.parametrize(("rule", "path"), BAD)
def test_a_second_fix_changes_nothing(rule: Rule, path: Path) -> None:
    once = fixed(path, rule.code)

    assert fix(once, only(rule.code), path=str(path), applicability=Applicability.UNSAFE).text == once


@pytest.mark.parametrize(("rule", "path"), BAD)
def test_every_fix_removes_its_own_finding(rule: Rule, path: Path) -> None:
    left = lint(fixed(path, rule.code), only(rule.code), path=str(path))

    assert [each for each in left if each.fix and each.fix.applicability > DISPLAY] == []


@pytest.mark.parametrize(("rule", "path"), BAD)
def test_fixed_code_parses_and_keeps_what_people_wrote_about_it(rule: Rule, path: Path) -> None:
    ast.parse(fixed(path, rule.code))
    lost = comments(read(path)) - comments(fixed(path, rule.code))

    assert [comment for comment in lost if not EXPECT.search(comment)] == []


@pytest.mark.parametrize(("rule", "path"), BAD)
def test_fixed_code_brings_up_nothing_new(rule: Rule, path: Path) -> None:
    before = Counter(each.code for each in lint(read(path), path=str(path)))
    after = Counter(each.code for each in lint(fixed(path, rule.code), path=str(path)))

    assert after - before == Counter()


@pytest.mark.parametrize(("rule", "path"), BAD)
def test_safe_fixes_alone_settle_too_and_lose_no_comment(rule: Rule, path: Path) -> None:
    once = fix(read(path), only(rule.code), path=str(path), applicability=Applicability.SAFE)
    again = fix(once.text, only(rule.code), path=str(path), applicability=Applicability.SAFE)

    ast.parse(once.text)
    assert comments(read(path)) - comments(once.text) == Counter()
    assert (again.text, len(again.applied)) == (once.text, 0)
    assert [each for each in once.remaining if each.fix and each.fix.applicability == Applicability.SAFE] == []


@pytest.mark.parametrize(("rule", "path"), BAD)
def test_no_finding_is_fixed_more_freely_than_its_rule_declares(rule: Rule, path: Path) -> None:
    offered = [each.fix for each in lint(read(path), only(rule.code), path=str(path)) if each.fix]

    assert all(rule.fix is not None and each.applicability <= rule.fix for each in offered)


@pytest.mark.parametrize("path", EVERY_FILE)
def test_no_rule_crashes_on_any_file_of_any_rule(path: Path) -> None:
    assert [each.message for each in lint(read(path), path=str(path)) if each.code in ("TL000", "TL001")] == []


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_has_enough_quiet_cases_and_enough_bad_ones(rule: Rule) -> None:
    quiet = [title for path in sources(rule, "good") for title, _ in cases(read(path))]
    bad = [title for path in sources(rule, "bad") for title, _ in cases(read(path))]

    assert len(set(quiet)) >= (QUIET_CASES if rule.default else QUIET_CASES_OF_OFF)
    assert len(set(bad)) >= (BAD_CASES if rule.default else BAD_CASES_OF_OFF)


@pytest.mark.parametrize(("rule", "path"), BAD)
def test_every_bad_case_has_a_finding(rule: Rule, path: Path) -> None:
    silent = [(title, "\n".join(lines)) for title, lines in cases(read(path)) if not expected("\n".join(lines), rule.code)]

    assert [title for title, text in silent if not MISS.search(text)] == []


@pytest.mark.parametrize(("rule", "path"), GOOD)
def test_every_quiet_case_has_code(rule: Rule, path: Path) -> None:
    code = {title: [line for line in lines if line.strip() and not line.lstrip().startswith("#")] for title, lines in cases(read(path))}

    assert [title for title, lines in code.items() if not lines] == []


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_a_rule_with_a_fix_has_a_scenario_and_recorded_results(rule: Rule) -> None:
    changed = [path for path in sources(rule, "bad") if fixed(path, rule.code) != read(path)]

    assert [(folder(rule) / name).exists() for name in ("scenario.py", "mutants.py")] == [rule.fix is not None] * 2
    assert bool(changed) == (rule.fix is not None and rule.fix > DISPLAY)
    assert [path for path in changed if not fixed_beside(path).exists()] == []


def test_every_case_folder_belongs_to_a_rule() -> None:
    assert {path.parent for path in FIXTURES.rglob("*.py")} == {folder(rule) for rule in RULES}

"""Every rule has a page, every page has a rule, and what a page shows is what torchlint does.

Example blocks are fenced as ```` ```python bad ```` and ```` ```python good ````, in pairs. Each is a whole program.
One whose mistake stops it says with what: ```` ```python bad raises TypeError ````.
"""

import ast
import builtins
import re
import sys
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import pytest

from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.rule import Rule, load_rules
from torchlint.selection import OWN_RULES
from torchlint.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "rules"
RULES = load_rules()
EVERY_RULE = [pytest.param(rule, id=rule.code) for rule in RULES]

EVERY_OWN = [pytest.param(rule, id=rule.code) for rule in OWN_RULES]
FAMILIES = ["tool", "autograd", "training", "modules", "device", "data", "numerics", "distributed", "api", "safety"]
HEADINGS = ["What it does", "Why it matters", "Example", "Stays quiet", "Fix", "Proof", "References"]
OPTIONAL = {"Fix", "Proof"}
IMPORTABLE = {"torchlint.model", "torchlint.rule", "torchlint.rewrite", "torchlint.values.value", "torchlint.values.events"}
LAYERS = ("torchlint.facts.", "torchlint.model.")
LONGEST_RULE = 60

BLOCK = re.compile(r"^```python (bad|good)(?: raises (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def page(rule: Rule) -> Path:
    return PAGES / rule.family / f"{rule.stem}.md"


def module(rule: Rule) -> Path:
    return ROOT / "torchlint" / "rules" / rule.family / f"{rule.stem}.py"


def sections(text: str) -> list[str]:
    return re.findall(r"^## (.+)$", FENCED.sub("", text), re.MULTILINE)


def examples(rule: Rule, kind: str) -> list[str]:
    return [body for name, _, body in BLOCK.findall(page(rule).read_text(encoding="utf-8")) if name == kind]


def with_rule(rule: Rule) -> Settings:
    """The rules that are on by default, and this one."""
    return Settings(extend_select=(rule.code,))


def imported(path: Path) -> set[str]:
    """The modules a file names in its imports; `from torchlint import rewrite` names `torchlint.rewrite`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names.update(f"{base}.{alias.name}" if base == "torchlint" else base for alias in node.names)
    return names


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {(path.parent.name, path.stem) for path in PAGES.glob("*/*.md")} == {(rule.family, rule.stem) for rule in (*OWN_RULES, *RULES)}


def test_codes_and_names_are_unique_and_codes_lie_in_their_family() -> None:
    rules = (*OWN_RULES, *RULES)

    assert len({rule.code for rule in rules}) == len(rules)
    assert len({rule.stem for rule in rules}) == len(rules)
    assert [rule.code for rule in rules if not re.fullmatch(rf"TL{FAMILIES.index(rule.family)}\d\d", rule.code)] == []


@pytest.mark.parametrize("rule", EVERY_OWN + EVERY_RULE)
def test_page_is_titled_with_code_and_name(rule: Rule) -> None:
    assert page(rule).read_text(encoding="utf-8").split("\n")[0] == f"# {rule.code} {rule.name}"


@pytest.mark.parametrize("rule", EVERY_OWN)
def test_page_of_the_tools_own_codes_keeps_the_same_order(rule: Rule) -> None:
    found = sections(page(rule).read_text(encoding="utf-8"))

    assert found == [heading for heading in HEADINGS if heading in found]
    assert {"What it does", "Why it matters", "Stays quiet", "References"} <= set(found)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_page_has_its_sections_in_order(rule: Rule) -> None:
    has = {"Fix": rule.fix is not None, "Proof": (ROOT / "fixtures" / rule.family / rule.stem / "scenario.py").exists()}

    assert sections(page(rule).read_text(encoding="utf-8")) == [each for each in HEADINGS if each not in OPTIONAL or has[each]]


@pytest.mark.parametrize("rule", EVERY_OWN + EVERY_RULE)
def test_every_section_says_something(rule: Rule) -> None:
    bodies = re.split(r"^## .+$", page(rule).read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert [len(body.split()) >= 3 for body in bodies[1:]] == [True] * (len(bodies) - 1)


@pytest.mark.parametrize("rule", [each for each in EVERY_RULE if each.values[0].fix is not None])
def test_fix_section_names_level_and_effect(rule: Rule) -> None:
    text = page(rule).read_text(encoding="utf-8").split("\n## Fix\n")[1].split("\n## ")[0].lower()

    if rule.fix is Applicability.DISPLAY:
        assert "shown" in text
    else:
        assert rule.fix is not None and rule.fix.label in text
        assert rule.effect is not None and rule.effect.value in text


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_bad_examples_fire_this_rule_and_only_this(rule: Rule) -> None:
    bad = examples(rule, "bad")

    assert bad
    assert [{each.code for each in lint(block, with_rule(rule))} for block in bad] == [{rule.code}] * len(bad)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_good_examples_are_silent(rule: Rule) -> None:
    good = examples(rule, "good")

    assert good
    assert [lint(block, with_rule(rule)) for block in good] == [[]] * len(good)


@pytest.mark.parametrize("rule", [each for each in EVERY_RULE if each.values[0].fix in (Applicability.UNSAFE, Applicability.SAFE)])
def test_fixing_the_bad_example_gives_the_good_one(rule: Rule) -> None:
    fixed = [fix(block, with_rule(rule), applicability=Applicability.UNSAFE).text for block in examples(rule, "bad")]

    assert fixed == examples(rule, "good")


@pytest.mark.parametrize("kind", ["bad", "good"])
@pytest.mark.parametrize("rule", EVERY_RULE)
def test_examples_run(rule: Rule, kind: str) -> None:
    pytest.importorskip("torch")

    for name, raises, block in BLOCK.findall(page(rule).read_text(encoding="utf-8")):
        if name == kind:
            with pytest.raises(getattr(builtins, raises)) if raises else nullcontext():
                exec(compile(block, f"{rule.code} {kind}", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_rule_speaks_only_to_the_model_and_the_builders(rule: Rule) -> None:
    foreign = [name for name in imported(module(rule)) if name.split(".")[0] not in sys.stdlib_module_names]

    own = f"torchlint.rules.{rule.family}._"

    assert [name for name in foreign if not (name.split(".")[0] == "libcst" or name in IMPORTABLE or name.startswith((*LAYERS, own)))] == []


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_rule_stays_short(rule: Rule) -> None:
    assert len(module(rule).read_text(encoding="utf-8").splitlines()) <= LONGEST_RULE


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_title_is_one_sentence(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z`][^\n]{10,139}\.", rule.title)


def test_a_fix_declares_its_effect_and_only_then() -> None:
    assert [rule.code for rule in RULES if (rule.fix is None) != (rule.effect is None)] == []


def test_rules_come_sorted_by_code() -> None:
    assert all(first.code < second.code for first, second in pairwise(RULES))

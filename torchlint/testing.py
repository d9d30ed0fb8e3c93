"""For the tests of plugins: the cases of each rule, held to what its author wrote beside them.

    @pytest.mark.parametrize("case", cases("acme_lint"), ids=str)
    def test_case(case: Case) -> None:
        case.hold()

The cases of the rule `acme_lint/no_print.py` are the files in `acme_lint/fixtures/no_print/`: `good*.py`, on which every rule stays silent,
and `bad*.py`, in which each line on which findings start ends in `# expect: ACME101` (once per finding, separated by commas).
`bad.fixed.py` is what the fixes of the rule make of `bad.py`, unsafe ones included; without it they leave it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torchlint import plugins, rulebook, selection
from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.rule import Rule
from torchlint.settings import Settings

__all__ = ["Case", "cases"]

_EXPECT = re.compile(r"# expect: ([A-Z]+\d+(?:, [A-Z]+\d+)*)\s*$")


@dataclass(frozen=True, slots=True)
class Case:
    """A file that one rule is tried on."""

    rule: Rule
    path: Path

    def __str__(self) -> str:
        return f"{self.rule.code}-{self.path.stem}"

    def hold(self) -> None:
        """Raise `AssertionError` if torchlint finds or fixes something else than the case says."""
        text = self.path.read_bytes().decode()
        own = (self.rule.plugin,) if self.rule.plugin else ()
        if self.path.stem.startswith("good"):
            settings = Settings(extend_select=(self.rule.code,), plugins=own)
            _compare(f"findings in {self.path}", _found(text, settings, self.path), [])
            return
        settings = Settings(select=(self.rule.code,), plugins=own)
        _compare(f"findings in {self.path}", _found(text, settings, self.path), _expected(text))
        recorded = self.path.with_name(f"{self.path.stem}.fixed.py")
        fixed = fix(text, settings, path=str(self.path), applicability=Applicability.UNSAFE).text
        _compare(f"what fixing makes of {self.path}", fixed, recorded.read_bytes().decode() if recorded.is_file() else text)


def cases(plugin: str) -> list[Case]:
    """The cases of all rules of a plugin. `AssertionError` for a rule that has no page, or not both kinds of cases."""
    selection.load_plugins([plugin])
    return [case for rule in plugins.rules() if rule.plugin == plugin for case in _of(rule)]


def _of(rule: Rule) -> list[Case]:
    title = f"# {rule.code} {rule.name}"
    if not rulebook.page_file(rule).is_file() or rulebook.page(rule).splitlines()[:1] != [title]:
        raise AssertionError(f"{rulebook.page_file(rule)} is to be the page of the rule, and to begin with `{title}`")
    found = [path for path in sorted(rulebook.fixtures(rule).glob("*.py")) if not path.stem.endswith(".fixed")]
    for kind in ("good", "bad"):
        if not any(path.stem.startswith(kind) for path in found):
            raise AssertionError(f"{rulebook.fixtures(rule)} holds no {kind}*.py")
    return [Case(rule, path) for path in found if path.stem.startswith(("good", "bad"))]


def _found(text: str, settings: Settings, path: Path) -> list[str]:
    return [f"line {each.location.row}: {each.code}" for each in lint(text, settings, path=str(path))]


def _expected(text: str) -> list[str]:
    marks = ((row, _EXPECT.search(line)) for row, line in enumerate(text.splitlines(), start=1))
    return [f"line {row}: {code}" for row, mark in marks if mark for code in mark[1].split(", ")]


def _compare(what: str, actual: str | Sequence[str], wanted: str | Sequence[str]) -> None:
    if actual != wanted:
        raise AssertionError(f"{what}:\n{_shown(actual)}\n\nand not:\n{_shown(wanted)}")


def _shown(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else "\n".join(value) or "nothing"

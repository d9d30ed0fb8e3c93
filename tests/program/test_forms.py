"""A form is found where a search finds it, whatever words it is looked for by first."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from torchlint import engine  # noqa: F401  the patterns of all layers are compiled by now
from torchlint.program import forms
from torchlint.rule import load_rules

FIXTURES = Path(__file__).parents[2] / "fixtures"
FORMS = [
    (r"set_start_method\s*\(|get_context\s*\(", "mp.get_context ('spawn')", "mp.get_contexts('spawn')"),
    (r"(?<!self)\.alpha\s*=(?!=)", "net.alpha = 2", "self.alpha = 2; net.alpha == 2"),
    (r"(?:ab)+c|d{2}", "dd", "abd"),
    (r"abc|abd", "abd", "abe"),
    (r"x?", "", None),
    (r"(?i:Rank)|world", "RANK", "wor ld"),
    (r"[gh](?:et|as)attr", "hasattr(x)", "h_attr"),
    (r"^[ \t]*(?:from|import)\b[^\n]*\bloss\b", "from a import loss", "import a  # loses"),
    (r"(a)\1", "aa", "ab"),
    (r"word(?#a remark)s", "words", "word"),
]


@pytest.mark.parametrize(("pattern", "text", "other"), FORMS, ids=[each[0] for each in FORMS])
@pytest.mark.parametrize("flags", [0, re.IGNORECASE, re.MULTILINE, re.VERBOSE])
def test_a_form_is_found_where_a_search_finds_it(pattern: str, text: str, other: str | None, flags: int) -> None:
    form = re.compile(pattern, flags)
    for each in (text, text.upper(), text + "\n\u017f\u212a", other or "", f"{other}\n{text}", "#" + text):
        expected, found = form.search(each), forms.found(form, each)
        assert (found is None) == (expected is None)
        assert found is None or expected is None or found.span() == expected.span()


def test_letters_with_more_than_two_cases_count_as_the_search_counts_them() -> None:
    form = re.compile("kiss", re.IGNORECASE)
    assert forms.found(form, "\u212ai\u017fs") is not None


def ways(pattern: str) -> list[set[str]]:
    return [set(way) for way in forms._ways(re.compile(pattern)) or ()]


def test_a_text_without_the_words_is_not_searched() -> None:
    assert ways(r"\bset_epoch\b|(?:a|the)\.sampler\(") == [{"set_epoch"}, {"a", ".sampler("}, {"the", ".sampler("}]
    assert ways(r"\.run\b|\bimport\b[^\n(]*\brun\b") == [{".run"}, {"import", "run"}]
    assert ways(r"\w+") == []


def test_the_patterns_of_the_rules_are_found_in_their_cases_as_by_a_search() -> None:
    load_rules()
    modules = [module for name, module in sys.modules.items() if name.startswith("torchlint.")]
    own = {each for module in modules for each in vars(module).values() if isinstance(each, re.Pattern) and isinstance(each.pattern, str)}
    assert len(own) > 50
    for path in sorted(FIXTURES.rglob("bad.py"))[::10]:
        text = path.read_text(encoding="utf-8")
        for form in own:
            assert (forms.found(form, text) is None) == (form.search(text) is None), form.pattern

"""Patterns that begin with a letter find what `\\b` in front of them finds."""

import re

import pytest

from torchlint.facts.written import word


@pytest.mark.parametrize(
    "text", ["mode", "mode = 1", "a mode", ".mode", "\nmode", "amode", "_mode", "1mode", "a amode mode", "é mode", "émode", ""]
)
def test_a_word_begins_where_none_goes_before(text: str) -> None:
    found, expected = re.search(word("mode"), text), re.search(r"\bmode", text)

    assert (found and found.span()) == (expected and expected.span())

"""Which edits can be applied together."""

import pickle
import random

import pytest

from torchlint.edits import Applicability, Edit, Effect, ResolvedFix, apply, meet


def fix(*edits: tuple[int, int, str], message: str = "") -> ResolvedFix:
    return ResolvedFix(tuple(Edit(*edit) for edit in edits), Applicability.SAFE, Effect.KEEPS, message)


TOGETHER = {
    "apart": ("abcdef", [fix((0, 1, "X")), fix((4, 5, "Y"))], "XbcdYf"),
    "in any order": ("abcdef", [fix((4, 5, "Y")), fix((0, 1, "X"))], "XbcdYf"),
    "side by side": ("abcdef", [fix((0, 2, "X")), fix((2, 4, "Y"))], "XYef"),
    "several edits each": ("abcdef", [fix((0, 0, "("), (2, 2, ")")), fix((3, 3, "["), (6, 6, "]"))], "(ab)c[def]"),
    "one within the gap of another": ("abcdef", [fix((0, 1, "X"), (5, 6, "Z")), fix((3, 4, "Y"))], "XbcYeZ"),
    "the same row twice": ("ab\ncd", [fix((2, 2, "\nimport x"), (3, 4, "C")), fix((2, 2, "\nimport x"), (4, 5, "D"))], "ab\nimport x\nCD"),
    "the same replacement twice": ("abcdef", [fix((0, 1, "X"), (2, 3, "Y")), fix((0, 1, "X"), (4, 5, "Z"))], "XbYdZf"),
    "the very same fix twice": ("abc", [fix((1, 1, ".d()"), message="one"), fix((1, 1, ".d()"), message="two")], "a.d()bc"),
    "nothing": ("abc", [], "abc"),
}


@pytest.mark.parametrize(("text", "fixes", "expected"), TOGETHER.values(), ids=TOGETHER)
def test_fixes_that_do_not_meet_are_applied_together(text: str, fixes: list[ResolvedFix], expected: str) -> None:
    changed, applied = apply(text, fixes)
    assert changed == expected
    assert sorted(applied, key=id) == sorted(fixes, key=id)


APART = {
    "overlap": ("abcdef", [fix((0, 3, "X")), fix((2, 4, "Y"))], "Xdef"),
    "one inside another": ("abcdef", [fix((0, 6, "X")), fix((2, 4, "Y"))], "X"),
    "two insertions at one place": ("abcdef", [fix((2, 2, "X")), fix((2, 2, "Y"))], "abXcdef"),
    "two different rows at one place": ("a\nb", [fix((1, 1, "\nx")), fix((1, 1, "\ny"))], "a\nx\nb"),
    "insertion at the start of a replacement": ("abcdef", [fix((2, 2, "X")), fix((2, 4, "Y"))], "abXcdef"),
    "insertion at the end of a replacement": ("abcdef", [fix((2, 4, "Y")), fix((4, 4, "X"))], "abYef"),
    "insertion inside a replacement": ("abcdef", [fix((2, 5, "Y")), fix((3, 3, "X"))], "abYf"),
    "second edit meets": ("abcdef", [fix((0, 1, "X"), (4, 5, "Y")), fix((2, 3, "Z"), (4, 6, "W"))], "XbcdYf"),
    "equal parentheses of nested expressions": (
        "a + -b",
        [fix((0, 0, "("), (6, 6, ").d()")), fix((4, 4, "("), (6, 6, ").d()"))],
        "(a + -b).d()",
    ),
}


@pytest.mark.parametrize(("text", "fixes", "expected"), APART.values(), ids=APART)
def test_a_fix_that_meets_another_waits_whole(text: str, fixes: list[ResolvedFix], expected: str) -> None:
    changed, applied = apply(text, fixes)
    assert changed == expected
    assert applied == [fixes[0]]


def test_a_fix_without_edits_is_not_applied() -> None:
    assert apply("abc", [fix()]) == ("abc", [])


def test_many_fixes_meet_as_few_would() -> None:
    """The search among neighbours agrees with asking every pair."""
    fixes = [fix((start, start + length, str(length))) for start in range(0, 60, 3) for length in (0, 1, 2, 4, 7)]
    random.Random(0).shuffle(fixes)
    changed, applied = apply("." * 70, fixes)
    edits = [edit for each in applied for edit in each.edits]
    assert not any(meet(a, b) for i, a in enumerate(edits) for b in edits[i + 1 :])
    assert all(any(meet(each.edits[0], edit) for edit in edits) for each in fixes if each not in applied)
    assert len(changed) == 70 + sum(len(edit.content) - edit.end + edit.start for edit in edits)


def test_fixes_can_be_sent_to_another_process() -> None:
    original = fix((0, 1, "x"))
    assert pickle.loads(pickle.dumps(original)) == original

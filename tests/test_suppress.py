"""Which comments suppress which findings, and what is said about those that suppress nothing."""

import pytest

from torchlint.diagnostic import Diagnostic, Location, Severity
from torchlint.edits import Applicability
from torchlint.edits import apply as edited
from torchlint.engine import fix, lint
from torchlint.selection import named
from torchlint.settings import Settings
from torchlint.suppress import apply

ENABLED = frozenset({"TL000", "TL001", "TL002", "TL101", "TL102", "TL201"})


def finding(code: str, *rows: int) -> Diagnostic:
    place = Location(rows[0], 1)
    return Diagnostic(code, named(code)[0].name, "a message", None, Severity.WARNING, place, place, rows)


def left(text: str, *diagnostics: Diagnostic, enabled: frozenset[str] = ENABLED) -> list[str]:
    return [each.code for each in apply(text, diagnostics, enabled)]


def unused(text: str, *diagnostics: Diagnostic, enabled: frozenset[str] = ENABLED) -> list[str]:
    return [each.message for each in apply(text, diagnostics, enabled) if each.code == "TL002"]


def repaired(text: str, *diagnostics: Diagnostic) -> str:
    found = apply(text, diagnostics, ENABLED)
    return edited(text, [each.fix for each in found if each.fix is not None and each.code == "TL002"])[0]


@pytest.mark.parametrize(
    "comment",
    [
        "# torchlint: ignore[TL102]",
        "#torchlint:ignore[TL102]",
        "# torchlint: ignore[graph-kept-in-total]",
        "# torchlint: ignore[TL101, TL102]",
        "# torchlint: ignore[TL102] the sum is small",
        "# type: ignore # torchlint: ignore[TL102]",
        "# noqa: TL102",
        "# noqa:E501,TL102",
        "# noqa: E501 TL102",
        "# NOQA: tl102",
        "# noqa",
    ],
)
def test_a_comment_on_any_row_of_the_statement_suppresses(comment: str) -> None:
    assert "TL102" not in left(f"a = (\n    b  {comment}\n)\n", finding("TL102", 1, 2, 3))


@pytest.mark.parametrize(
    "comment",
    [
        "# torchlint: ignore[TL201]",
        "# torchlint: ignore",
        "# torchlint: ignore[]",
        "# noqa: E501",
        "# noqa: some words",
        "# noqa:words",
        "# noqa-line",
        "# a note on noqa",
        "# flake8: noqa",
        "# ruff: noqa: TL102",
        "# the comment `torchlint: ignore[TL102]` helps",
    ],
)
def test_other_comments_do_not(comment: str) -> None:
    assert "TL102" in left(f"a = b  {comment}\n", finding("TL102", 1))


def test_a_comment_on_another_row_does_not_count() -> None:
    assert left("a = b\n# torchlint: ignore[TL102]\n", finding("TL102", 1)) == ["TL102", "TL002"]


@pytest.mark.parametrize("text", ['a = "# torchlint: ignore[TL102]"\n', 'a = """\n# noqa\n"""\n', "a = '# noqa: TL102'\n"])
def test_strings_that_look_like_comments_do_not_count(text: str) -> None:
    assert left(text, finding("TL102", 1, 2, 3)) == ["TL102"]


@pytest.mark.parametrize(
    "top",
    [
        "# torchlint: ignore-file[TL102]\n",
        "#!/usr/bin/env python\n# torchlint: ignore-file[graph-kept-in-total] generated\n",
        '"""What this is."""\n\n# torchlint: ignore-file[TL102]\n',
    ],
)
def test_a_comment_at_the_top_holds_for_the_file(top: str) -> None:
    assert left(top + "import torch\n\na = b\n", finding("TL102", 7), finding("TL201", 7)) == ["TL201"]


def test_a_comment_for_the_file_further_down_suppresses_nothing_and_says_so() -> None:
    text = "import torch\n# torchlint: ignore-file[TL102]\n"

    assert left(text, finding("TL102", 1)) == ["TL102", "TL002"]
    assert "does not stand above the first statement" in unused(text)[0]


def test_failures_of_the_tool_cannot_be_suppressed_and_syntax_errors_only_by_name() -> None:
    failure, syntax = finding("TL000", 1), finding("TL001", 1)

    assert left("a  # noqa\n", failure, syntax) == ["TL000", "TL001"]
    assert "TL000" in left("# torchlint: ignore-file[TL000]\n", finding("TL000", 1))
    assert left("# torchlint: ignore-file[TL001]\nprint 1\n", finding("TL001", 2)) == []


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a = 1  # torchlint: ignore[TL102]\nb\n", "a = 1\nb\n"),
        ("a = 1  # torchlint: ignore[TL102]", "a = 1"),
        ("a = 1\t# noqa: TL102\r\nb\r\n", "a = 1\r\nb\r\n"),
        ("if a:\n    # torchlint: ignore[TL102]\n    b\n", "if a:\n    b\n"),
        ("a = 1  # torchlint: ignore[TL102] # type: ignore\n", "a = 1  # type: ignore\n"),
        ("a = 1  # type: ignore # torchlint: ignore[TL102]\n", "a = 1  # type: ignore\n"),
        ("a = 1  # torchlint: ignore[TL102] it is small\n", "a = 1  # it is small\n"),
        ("a = 1  # noqa: E501, TL102\n", "a = 1  # noqa: E501\n"),
        ("a = 1  # noqa: TL102,E501\n", "a = 1  # noqa: E501\n"),
        ("a = 1  # torchlint: ignore[TL102, TL201]\n", "a = 1\n"),
        ("a = 1  # torchlint: ignore[TL999]\n", "a = 1\n"),
        ("a = 1  # torchlint: ignore\n", "a = 1\n"),
    ],
)
def test_what_suppresses_nothing_is_reported_and_removed(text: str, after: str) -> None:
    assert len(unused(text)) == 1
    assert repaired(text) == after


def test_only_the_useless_name_of_a_list_is_removed() -> None:
    text = "a = 1  # torchlint: ignore[TL101, TL102, TL201]\n"

    assert repaired(text, finding("TL102", 1)) == "a = 1  # torchlint: ignore[TL102]\n"
    assert unused(text, finding("TL102", 1)) == [
        "`# torchlint: ignore[TL101, TL102, TL201]` suppresses nothing: there is no `TL101` and no `TL201` here"
    ]


@pytest.mark.parametrize("comment", ["# noqa", "# noqa: E501", "# noqa: TOR101", "# noqa: TL999", "# flake8: noqa", "# noqa: F401,W605"])
def test_what_may_be_meant_for_another_tool_is_not_reported(comment: str) -> None:
    assert unused(f"a = 1  {comment}\n") == []


def test_a_suppression_of_a_rule_that_did_not_run_is_not_reported() -> None:
    text = "a = 1  # torchlint: ignore[TL101]\n"

    assert unused(text, enabled=ENABLED - {"TL101"}) == []
    assert unused(text, enabled=ENABLED - {"TL002"}) == []
    assert len(unused(text)) == 1


def test_a_finding_about_a_suppression_can_be_suppressed_itself() -> None:
    assert left("a = 1  # torchlint: ignore[TL101, TL002]\n") == []
    assert left("# torchlint: ignore-file[TL002]\na = 1  # noqa: TL101\n") == []


def test_an_unknown_name_is_reported_with_the_nearest_one() -> None:
    [found] = apply("a = 1  # torchlint: ignore[graph-kept-in-totals]\n", [], ENABLED)

    assert found.message == "`# torchlint: ignore[graph-kept-in-totals]` names no rule: `graph-kept-in-totals`"
    assert found.help == "the nearest is `graph-kept-in-total`"


def test_the_finding_stands_where_the_comment_does_and_its_fix_is_safe() -> None:
    [found] = apply("x = 1\n\x0cé = 2  # torchlint: ignore[TL101]\n", [], ENABLED)

    assert (found.location, found.end_location, found.rows) == (Location(2, 9), Location(2, 35), (2,))
    assert found.fix is not None and found.fix.applicability is Applicability.SAFE


def test_two_comments_for_one_finding_are_both_of_use() -> None:
    assert left("# torchlint: ignore-file[TL102]\na = 1  # torchlint: ignore[TL102]\n", finding("TL102", 2)) == []


def test_what_stands_before_an_error_of_the_tokenizer_still_counts() -> None:
    assert left("# torchlint: ignore-file[TL001]\nx = (\n", finding("TL001", 2)) == []


def test_findings_come_back_in_the_order_of_the_text() -> None:
    assert left("a\nb\n", finding("TL201", 2), finding("TL102", 1)) == ["TL102", "TL201"]


@pytest.mark.parametrize("first", ["", "# a\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_removing_a_row_never_brings_an_encoding_to_where_python_looks_for_it(first: str, newline: str) -> None:
    rest = "# coding: latin-1\nimport torch\n"
    above = "" if first else "# b\n"
    text = f"{first}# torchlint: ignore-file[TL101]\n{above}{rest}".replace("\n", newline)

    assert fix(text).text == f"{first}\n{above}{rest}".replace("\n", newline)


def test_removing_a_row_above_a_declared_encoding_leaves_no_empty_row() -> None:
    text = "# coding: latin-1\nimport torch\n"

    assert fix("# torchlint: ignore-file[TL101]\n" + text).text == text


def test_comment_about_what_is_told_only_to_who_asks_is_of_use() -> None:
    text = "import torch\n\n\ndef begin():\n    return torch.zeros(4).cuda()  # torchlint: ignore[TL401]\n"

    assert lint(text) == lint(text, Settings(extend_select=("TL401",))) == []
    assert [each.code for each in lint(text.partition("  #")[0] + "\n", Settings(extend_select=("TL401",)))] == ["TL401"]

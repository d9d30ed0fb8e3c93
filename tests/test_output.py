"""What findings look like in each format."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from torchlint.diagnostic import Diagnostic, Location, Related, Severity
from torchlint.edits import Applicability, Edit, Effect, ResolvedFix
from torchlint.output import Report, render, statistics
from torchlint.output.excerpt import excerpt
from torchlint.output.positions import Positions
from torchlint.output.terminal import has_color
from torchlint.run.one import FileReport

TEXT = "import torch\n\nfor x in loader:\n    total += loss\n"
START, END = TEXT.index("loss"), TEXT.index("loss") + 4


def finding(**changes: Any) -> Diagnostic:
    fix = ResolvedFix((Edit(END, END, ".detach()"),), Applicability.SAFE, Effect.KEEPS, "Add the detached value")
    plain = Diagnostic(
        "TL102",
        "graph-kept-in-total",
        "`total` keeps every graph",
        "add the detached value",
        Severity.WARNING,
        Location(4, 14),
        Location(4, 18),
        (4,),
        fix,
    )
    return replace(plain, **changes)


def at_level(level: Applicability) -> Diagnostic:
    fix = finding().fix
    assert fix is not None
    return finding(fix=replace(fix, applicability=level))


def report(*findings: Diagnostic, text: str = TEXT, path: str = "a.py", **options: Any) -> Report:
    return Report([FileReport(Path(path), findings, text)], 3, **options)


def lines(output_format: str, shown: Report) -> list[str]:
    return list(render(shown, output_format))


def test_full_shows_place_rule_reason_source_and_help() -> None:
    assert lines("full", report(finding())) == [
        "a.py:4:14: warning TL102 graph-kept-in-total [*]",
        "  `total` keeps every graph",
        "3 | for x in loader:",
        "4 |     total += loss",
        "  |              ^^^^",
        "  = help: add the detached value (--fix)",
        "",
        "1 finding in 1 of 3 files; 1 fixable with --fix.",
    ]


STEPS = "b = a\ntotal = b; \tb[0] = 9\nx = '\uff37ide', b\nstep(\n    b,\n)\n"


def places(*related: tuple[int, int, int, int, str], at: tuple[int, int, int], **changes: str) -> list[str]:
    """The rows of the excerpt in the full format, for a finding on one row and places related to it."""
    row, first, after = at
    others = tuple(Related(message, Location(a, b), Location(c, d), **changes) for a, b, c, d, message in related)
    odd = finding(location=Location(row, first), end_location=Location(row, after), related=others, fix=None)
    return lines("full", report(odd, text=STEPS))[2:-3]


def test_full_shows_a_related_place_with_its_row_and_what_happens_there() -> None:
    assert places((1, 1, 1, 6, "aliased here"), (5, 5, 5, 6, "read here"), at=(3, 13, 14)) == [
        "1 | b = a",
        "  | ----- aliased here",
        "2 | total = b;  b[0] = 9",
        "3 | x = '\uff37ide', b",
        "  |              ^",
        "  | ...",
        "5 |     b,",
        "  |     - read here",
    ]


def test_full_marks_what_shares_a_row_with_the_finding_beneath_it() -> None:
    assert places((2, 1, 2, 10, "kept"), (2, 9, 2, 10, "read"), (1, 1, 1, 6, "above"), at=(2, 13, 21)) == [
        "1 | b = a",
        "  | ----- above",
        "2 | total = b;  b[0] = 9",
        "  |             ^^^^^^^^",
        "  | --------- kept",
        "  |         - read",
    ]


def test_full_places_marks_under_wide_characters_and_tabs_and_over_rows() -> None:
    assert places((3, 5, 3, 11, "wide"), (2, 13, 2, 21, "tab"), (4, 1, 6, 2, "three\x1b rows"), at=(1, 1, 2)) == [
        "1 | b = a",
        "  | ^",
        "2 | total = b;  b[0] = 9",
        "  |             -------- tab",
        "3 | x = '\uff37ide', b",
        "  |     ------- wide",
        "4 | step(",
        "  | -----",
        "5 |     b,",
        "  |     --",
        "6 | )",
        "  | - three\\x1b rows",
    ]


def test_full_shows_a_place_in_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for path, shown in {str(tmp_path / "sub" / "b.py"): "sub/b.py", "/elsewhere/b.py": "/elsewhere/b.py"}.items():
        assert places((2, 5, 2, 11, "stepped here"), at=(1, 1, 2), path=path, text="def f(o):\n    step()\n") == [
            "1 | b = a",
            "  | ^",
            f" --> {shown}:2:5",
            "2 |     step()",
            "  |     ------ stepped here",
        ]


def test_related_places_are_in_json_and_in_annotations() -> None:
    related = (Related("the step", Location(1, 1), Location(1, 7)), Related("there", Location(2, 3), Location(2, 4), "/x/b.py", "a\n  b\n"))
    shown = report(finding(related=related), path="/y/a.py")

    assert json.loads("\n".join(lines("json", shown)))[0]["related"] == [
        {"message": "the step", "filename": "/y/a.py", "location": {"row": 1, "column": 1}, "end_location": {"row": 1, "column": 7}},
        {"message": "there", "filename": "/x/b.py", "location": {"row": 2, "column": 3}, "end_location": {"row": 2, "column": 4}},
    ]
    assert lines("github", shown)[0].endswith("keeps every graph%0A/y/a.py:1:1: the step%0A/x/b.py:2:3: there")


@pytest.mark.parametrize(
    ("level", "how"),
    [(Applicability.UNSAFE, "(--fix --unsafe-fixes)"), (Applicability.DISPLAY, "(shown below, never applied)")],
)
def test_full_says_what_applies_a_fix(level: Applicability, how: str) -> None:
    assert f"  = help: add the detached value {how}" in lines("full", report(at_level(level)))


def sketch(shown: list[str]) -> list[str]:
    return [line[4:] for line in shown if line.startswith(("    -", "    +"))]


def test_full_shows_what_is_never_applied() -> None:
    shown = lines("full", report(at_level(Applicability.DISPLAY)))

    assert sketch(shown) == ["-     total += loss", "+     total += loss.detach()"]


def test_a_shown_fix_of_several_edits_is_shown_row_by_row() -> None:
    edits = (Edit(0, 0, "import os\n"), Edit(START, END, "a"), Edit(END, END, ".b()"))
    fix = ResolvedFix(edits, Applicability.DISPLAY, Effect.KEEPS, "")

    assert sketch(lines("full", report(finding(fix=fix)))) == ["+ import os", "-     total += loss", "+     total += a.b()"]


def test_full_is_coloured_only_if_asked() -> None:
    plain, colored = (lines("full", report(finding(), color=color)) for color in (False, True))

    assert not any("\x1b" in line for line in plain)
    assert any("\x1b[" in line for line in colored)


def test_a_failure_of_the_tool_shows_no_source() -> None:
    failed = finding(code="TL000", name="internal-error", severity=Severity.ERROR, location=Location(1, 1), fix=None, help=None)

    assert lines("full", report(failed))[:3] == ["a.py:1:1: error TL000 internal-error", "  `total` keeps every graph", ""]


def test_concise_is_one_line_per_finding() -> None:
    assert lines("concise", report(finding(), finding(fix=None))) == [
        "a.py:4:14: TL102 [*] `total` keeps every graph",
        "a.py:4:14: TL102 `total` keeps every graph",
        "2 findings in 1 of 3 files; 1 fixable with --fix.",
    ]


def test_json_has_the_shape_of_ruffs() -> None:
    shown = report(finding(), text=TEXT.replace("\n", "\r\n"), path="/somewhere/a.py")

    assert json.loads("\n".join(lines("json", shown))) == [
        {
            "code": "TL102",
            "name": "graph-kept-in-total",
            "message": "`total` keeps every graph",
            "severity": "warning",
            "url": "https://github.com/torchlint/torchlint/blob/main/rules/autograd/graph_kept_in_total.md",
            "filename": "/somewhere/a.py",
            "cell": None,
            "location": {"row": 4, "column": 14},
            "end_location": {"row": 4, "column": 18},
            "noqa_row": 4,
            "related": [],
            "fix": {
                "applicability": "safe",
                "effect": "keeps",
                "message": "Add the detached value",
                "edits": [
                    {"content": ".detach()", "location": {"row": 4, "column": 15}, "end_location": {"row": 4, "column": 15}},
                ],
            },
            "alternatives": [],
        }
    ]


def test_json_names_files_absolutely_and_standard_input_by_a_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [json.loads("\n".join(lines("json", report(finding(), path=path))))[0]["filename"] for path in ("a.py", "-")]

    assert names == [str(tmp_path / "a.py"), "-"]


def test_json_of_nothing_is_an_empty_list_and_of_odd_names_still_ascii() -> None:
    assert lines("json", Report([], 3)) == ["[]"]
    assert "\n".join(lines("json", report(finding(fix=None), path="/\udcff/é.py"))).isascii()


def test_github_escapes_what_would_end_a_command() -> None:
    odd = finding(message="50% of\r\nit: a,b", severity=Severity.ERROR)

    assert lines("github", report(odd, path="/x/a,b.py")) == [
        "::error title=torchlint (TL102),file=/x/a%2Cb.py,line=4,endLine=4,col=14,endColumn=18::/x/a,b.py:4:14: TL102 50%25 of%0D%0Ait: a,b"
    ]


def test_github_leaves_columns_out_of_a_range_over_rows_and_calls_hints_notices() -> None:
    [line] = lines("github", report(finding(end_location=Location(5, 1), severity=Severity.INFO), path="/a.py"))

    assert line.startswith("::notice title=torchlint (TL102),file=/a.py,line=4,endLine=5::")


SAFE, UNSAFE, DISPLAY = map(at_level, (Applicability.SAFE, Applicability.UNSAFE, Applicability.DISPLAY))


@pytest.mark.parametrize(
    ("shown", "summary"),
    [
        (report(), "No findings in 3 files."),
        (report(SAFE, UNSAFE, UNSAFE), "3 findings in 1 of 3 files; 1 fixable with --fix, 2 more with --unsafe-fixes."),
        (report(UNSAFE), "1 finding in 1 of 3 files; 1 fixable with --fix --unsafe-fixes."),
        (report(DISPLAY, finding(fix=None)), "2 findings in 1 of 3 files."),
        (report(SAFE, UNSAFE, unsafe=True), "2 findings in 1 of 3 files; 2 fixable with --fix."),
        (Report([FileReport(Path("a.py"), fixed=(SAFE,))], 1), "No findings left in 1 file."),
        (Report([FileReport(Path("a.py"), (DISPLAY,), TEXT, (SAFE,))], 1), "1 finding left in 1 of 1 file."),
    ],
)
def test_the_summary_counts_what_is_left_and_what_can_be_fixed(shown: Report, summary: str) -> None:
    assert lines("concise", shown)[-1] == summary


def test_fixes_are_counted_and_listed_if_asked() -> None:
    files = [FileReport(Path("a.py"), fixed=(SAFE, SAFE)), FileReport(Path("b.py"), fixed=(finding(code="TL101", name="x"), SAFE))]

    assert lines("concise", Report(files, 2))[0] == "Fixed 4 findings in 2 files."
    assert lines("full", Report(files, 2, show_fixes=True))[:-2] == [
        "a.py:",
        "    2 x TL102 (graph-kept-in-total)",
        "b.py:",
        "    1 x TL101 (x)",
        "    1 x TL102 (graph-kept-in-total)",
    ]


def test_statistics_count_rules_the_most_frequent_first() -> None:
    shown = report(DISPLAY, SAFE, finding(code="TL101", name="x", fix=None))

    assert list(statistics.render(shown, "full")) == ["2  TL102  [*]  graph-kept-in-total", "1  TL101  [ ]  x"]
    assert json.loads("".join(statistics.render(shown, "json")))[0] == {
        "code": "TL102",
        "name": "graph-kept-in-total",
        "count": 2,
        "fixable_count": 1,
    }


def drawn(text: str, start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int | None, str, str]]:
    return list(excerpt(Positions(text), Location(*start), Location(*end)))


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("abc = d\n", (1, 7), (1, 8), [(1, "abc = d", "      ^")]),
        ("\tx = y\n", (1, 6), (1, 7), [(1, "    x = y", "        ^")]),
        ("名 = x\n", (1, 5), (1, 6), [(1, "名 = x", "     ^")]),
        ("e\u0301 = x\n", (1, 6), (1, 7), [(1, "e\u0301 = x", "    ^")]),
        ("a = '\x1b[31m'\n", (1, 5), (1, 12), [(1, "a = '\\x1b[31m'", "    ^^^^^^^^^^")]),
        ("a = '\u202e'\n", (1, 1), (1, 2), [(1, "a = '\\u202e'", "^")]),
        ("f(\n  a,\n)\n", (1, 1), (3, 2), [(1, "f(", "^^"), (2, "  a,", "  ^^"), (3, ")", "^")]),
        ("a\rb\r\nc\x0cd\n", (3, 1), (3, 2), [(2, "b", ""), (3, "c\\x0cd", "^")]),
        ("", (1, 1), (1, 1), [(1, "", "^")]),
        ("a", (1, 2), (1, 2), [(1, "a", " ^")]),
        ("a\n", (9, 1), (9, 1), []),
    ],
)
def test_carets_stand_under_what_they_mean(
    text: str, start: tuple[int, int], end: tuple[int, int], expected: list[tuple[int | None, str, str]]
) -> None:
    assert drawn(text, start, end) == expected


def test_of_a_long_row_the_part_around_the_finding_is_shown() -> None:
    [(_, row, carets)] = drawn("x = " + "a" * 5000 + "HERE" + "b" * 5000 + "\n", (1, 5005), (1, 5009))

    assert row.startswith("...") and row.endswith("...") and len(row) < 200
    assert row[len(carets) - 4 : len(carets)] == "HERE" and carets.strip() == "^^^^"


def test_of_a_tall_finding_the_first_rows_and_the_last_are_shown() -> None:
    rows = drawn("\n".join(f"row{number}" for number in range(1, 31)), (2, 1), (29, 6))

    assert [number for number, _, _ in rows] == [1, 2, 3, 4, 5, 6, None, 29]


class Stream:
    def __init__(self, terminal: bool) -> None:
        self.isatty = lambda: terminal


@pytest.mark.parametrize(
    ("environment", "terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_colours_follow_the_terminal_and_the_environment(
    environment: dict[str, str], terminal: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert has_color(Stream(terminal)) is expected  # type: ignore[arg-type]

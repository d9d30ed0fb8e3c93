"""`torchlint check` from end to end: options, exit statuses, and what is printed where."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli_cases import GOOD, SAFE, SAFE_FIXED, UNSAFE, UNSAFE_FIXED, environment, found, read, write
from commands import Torchlint

SHOWN = """import torch
from torch import nn
from torch.utils.data import DataLoader

loader = DataLoader(torch.ones(8, 3), batch_size=4, shuffle=True)
model = nn.DataParallel(nn.Linear(3, 2))
model(next(iter(loader))).sum().backward()
"""


def test_nothing_found_is_0_and_says_how_much_was_looked_at(torchlint: Torchlint) -> None:
    write("good.py", GOOD)
    write("plain.py", "print(1)\n")
    result = torchlint("check")

    assert (result.status, result.out, result.err) == (0, "No findings in 2 files.\n", "")


def test_findings_are_1_and_shown_with_source_and_help(torchlint: Torchlint) -> None:
    write("pkg/bad.py", SAFE)
    result = torchlint("check", "pkg")

    assert result.status == 1
    assert result.out.startswith("pkg/bad.py:3:5: warning TL401 created-then-moved [*]\n")
    assert "3 | w = torch.zeros(2).cuda()\n  |     ^^^^^^^^^^^^^^^^^^^^^\n  = help: " in result.out
    assert result.out.endswith("\n1 finding in 1 of 1 file; 1 fixable with --fix.\n")
    assert "\x1b" not in result.out


def test_fix_repairs_what_is_safe_and_reports_the_rest(torchlint: Torchlint) -> None:
    write("safe.py", SAFE)
    write("unsafe.py", UNSAFE)
    result = torchlint("check", "--fix", "--output-format", "concise")

    assert (result.status, read("safe.py"), read("unsafe.py")) == (1, SAFE_FIXED, UNSAFE)
    assert result.out.splitlines()[1:] == [
        "Fixed 1 finding in 1 file.",
        "1 finding left in 1 of 2 files; 1 fixable with --fix --unsafe-fixes.",
    ]


def test_unsafe_fixes_are_applied_on_request_and_then_nothing_is_left(torchlint: Torchlint) -> None:
    write("safe.py", SAFE)
    write("unsafe.py", UNSAFE)
    result = torchlint("check", "--fix", "--unsafe-fixes")

    assert (result.status, read("safe.py"), read("unsafe.py")) == (0, SAFE_FIXED, UNSAFE_FIXED)
    assert result.out == "Fixed 2 findings in 2 files.\nNo findings left in 2 files.\n"
    assert torchlint("check").status == 0


def test_unsafe_fixes_without_fix_only_count_as_fixable(torchlint: Torchlint) -> None:
    write("unsafe.py", UNSAFE)

    assert "1 fixable with --fix.\n" in torchlint("check", "--unsafe-fixes").out
    assert "1 fixable with --fix --unsafe-fixes.\n" in torchlint("check", "--unsafe-fixes", "--no-unsafe-fixes").out
    assert read("unsafe.py") == UNSAFE


def test_a_fix_that_is_only_shown_is_never_applied(torchlint: Torchlint) -> None:
    write("a.py", SHOWN)
    result = torchlint("check", "--fix", "--unsafe-fixes")

    assert (result.status, read("a.py")) == (1, SHOWN)
    assert "DistributedDataParallel" in result.out and "[*]" not in result.out


def test_show_fixes_lists_what_was_fixed(torchlint: Torchlint) -> None:
    write("a.py", SAFE)

    assert torchlint("check", "--fix", "--show-fixes").out == (
        "a.py:\n    1 x TL401 (created-then-moved)\nFixed 1 finding in 1 file.\nNo findings left in 1 file.\n"
    )


def test_show_fixes_leaves_the_output_of_machine_formats_alone(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    result = torchlint("check", "--fix", "--show-fixes", "--output-format", "json")

    assert (result.out, result.err) == ("[]\n", "a.py:\n    1 x TL401 (created-then-moved)\nFixed 1 finding in 1 file.\n")


def test_fix_only_reports_nothing_and_is_0(torchlint: Torchlint) -> None:
    write("safe.py", SAFE)
    write("unsafe.py", UNSAFE)
    result = torchlint("check", "--fix-only")

    assert (result.status, result.out, read("safe.py"), read("unsafe.py")) == (0, "Fixed 1 finding in 1 file.\n", SAFE_FIXED, UNSAFE)


def test_diff_changes_nothing_and_its_status_says_whether_there_is_one(torchlint: Torchlint) -> None:
    write("safe.py", SAFE)
    write("unsafe.py", UNSAFE)
    result = torchlint("check", "--diff")

    assert (result.status, read("safe.py"), read("unsafe.py")) == (1, SAFE, UNSAFE)
    assert result.out.startswith(
        '--- safe.py\n+++ safe.py\n@@ -1,4 +1,4 @@\n import torch\n \n-w = torch.zeros(2).cuda()\n+w = torch.zeros(2, device="cuda")'
    )
    assert result.err == "Would fix 1 finding in 1 file.\n"
    assert torchlint("check", "--diff", "unsafe.py").status == 0
    assert torchlint("check", "--diff", "--unsafe-fixes", "unsafe.py").status == 1
    assert torchlint("check", "--diff", "--fix", "safe.py").status == 1
    assert read("safe.py") == SAFE


def test_exit_zero_and_exit_non_zero_on_fix(torchlint: Torchlint) -> None:
    write("a.py", SAFE)

    assert torchlint("check", "--exit-zero").status == 0
    assert torchlint("check", "--fix", "--exit-non-zero-on-fix").status == 1
    assert torchlint("check", "--fix", "--exit-non-zero-on-fix").status == 0
    assert torchlint("check", "--exit-zero", "gone.py").status == 2


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        (("--select", "TL4"), ["TL401", "TL405"]),
        (("--select", "TL1,TL7"), ["TL701"]),
        (("--select", "TL4", "--select", "data-parallel"), ["TL401", "TL405", "TL701"]),
        (("--select", "TL1", "--extend-select", "TL401"), ["TL401"]),
        (("--ignore", "TL401"), ["TL701"]),
        (("--ignore", "ALL"), []),
        (("--severity", "error"), []),
        (("--severity", "warning"), ["TL401", "TL701"]),
    ],
)
def test_rules_are_selected(torchlint: Torchlint, options: tuple[str, ...], codes: list[str]) -> None:
    write("a.py", SAFE)
    write("b.py", SHOWN)
    result = torchlint("check", "--output-format", "json", *options)

    assert (found(result.out), result.status) == (codes, 1 if codes else 0)


def test_an_unknown_rule_is_2_and_names_the_nearest_even_where_no_file_mentions_torch(torchlint: Torchlint) -> None:
    write("plain.py", "print(1)\n")
    result = torchlint("check", "--select", "TL1002")

    assert (result.status, result.out) == (2, "")
    assert result.err == "Error: --select: no rule is called `TL1002`; the nearest is `TL102`\n"


def test_configuration_of_each_folder_counts_and_the_command_line_wins(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    write("sub/a.py", SAFE)
    write("pyproject.toml", '[tool.torchlint]\nignore = ["TL401"]\noutput-format = "json"\n')
    write("sub/torchlint.toml", "")

    assert [each["filename"] for each in json.loads(torchlint("check").out)] == [str(Path("sub/a.py").absolute())]
    assert found(torchlint("check", "--select", "TL401").out) == ["TL401", "TL401"]
    assert torchlint("check", "--isolated", "--output-format", "concise").out.count("TL401") == 2
    assert found(torchlint("check", "--config", "sub/torchlint.toml", "--output-format", "json").out) == ["TL401", "TL401"]


def test_per_file_ignores_and_withheld_fixes(torchlint: Torchlint) -> None:
    write("tests/a.py", SAFE)
    write("a.py", SAFE)
    write("torchlint.toml", 'unfixable = ["TL4"]\n[per-file-ignores]\n"tests/**" = ["TL401"]\n')
    [finding] = json.loads(torchlint("check", "--fix", "--output-format", "json").out)

    assert (finding["filename"], finding["fix"], read("a.py")) == (str(Path("a.py").absolute()), None, SAFE)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("pyproject.toml", "[tool.torchlint]\nslect = []\n", "unknown key `tool.torchlint.slect`; the nearest is `select`"),
        ("torchlint.toml", "select = 1\n", "`select` must be a list of rule selectors, not an integer"),
        ("torchlint.toml", "select = [", "not valid TOML"),
        ("torchlint.toml", 'ignore = ["nothing"]\n', "`ignore`: no rule is called `nothing`; the nearest is"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_2_with_one_line(torchlint: Torchlint, file: str, text: str, said: str) -> None:
    write("a.py", SAFE)
    write(file, text)
    result = torchlint("check")

    assert (result.status, result.out) == (2, "")
    assert file in result.err and said in result.err and result.err.count("\n") == 1


def test_wrong_usage_is_2(torchlint: Torchlint) -> None:
    for arguments in (
        ("check", "--no-such-option"),
        ("check", "--config", "gone.toml"),
        ("check", "--isolated", "--config", "a.toml"),
        ("check", "-", "a.py"),
        ("check", "a.py", "--stdin-filename", "b.py"),
        ("check", "--torch-version", "new"),
        ("check", "--jobs", "0"),
        ("check", "--output-file", "no/such/folder/file"),
        ("chekc",),
    ):
        result = torchlint(*arguments)
        assert (result.status, "Traceback" in result.err, result.err != "") == (2, False, True), arguments


def test_suppressions_count_and_useless_ones_are_removed_by_fix(torchlint: Torchlint) -> None:
    write("a.py", SAFE.replace("cuda()\n", "cuda()  # torchlint: ignore[TL401]\n"))
    write("b.py", GOOD.replace("(2))\n", "(2))  # torchlint: ignore[TL401]\n"))
    result = torchlint("check", "--fix")

    assert (result.status, read("b.py")) == (0, GOOD)
    assert read("a.py").count("torchlint: ignore") == 1


def test_force_exclude_leaves_named_files_out(torchlint: Torchlint) -> None:
    write("build/a.py", SAFE)

    assert torchlint("check", "build/a.py").status == 1
    assert torchlint("check", "--force-exclude", "build/a.py").status == 0


def test_the_report_goes_to_a_file_if_asked(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    result = torchlint("check", "--output-format", "json", "--output-file", "report.json")

    assert (result.status, result.out, found(read("report.json"))) == (1, "", ["TL401"])


def test_statistics_replace_the_list_and_show_times_on_request(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    write("b.py", SAFE)

    assert torchlint("check", "--statistics").out == "2  TL401  [*]  created-then-moved\n"
    verbose = torchlint("check", "--statistics", "--verbose").out
    assert [line.split("  ")[0] for line in verbose.splitlines()[1:4]] == ["find files", "skip files without torch", "check"]
    assert {"parse", "model", "TL401"} <= {line.split(" ")[0] for line in verbose.splitlines()}


def test_colours_are_forced_and_forbidden_by_the_environment(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py", SAFE)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in torchlint("check").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in torchlint("check").out


@pytest.mark.parametrize(
    ("arguments", "text", "unneeded"),
    [
        (
            ("--version",),
            "",
            {"libcst", "rich", "pathspec", "multiprocessing", "tomllib", "tomli", "torchlint.selection", "torchlint.settings"},
        ),
        (
            ("check",),
            "print(1)\n",
            {"libcst", "rich", "pathspec", "multiprocessing", "tomllib", "tomli", "torchlint.rule", "difflib", "json"},
        ),
        (("check",), SAFE, {"torch", "rich", "pygls", "pathspec", "multiprocessing", "difflib"}),
    ],
)
def test_nothing_is_imported_that_is_not_needed(tmp_path: Path, arguments: tuple[str, ...], text: str, unneeded: set[str]) -> None:
    (tmp_path / "a.py").write_text(text, encoding="utf-8")
    code = f"import sys; sys.argv = ['torchlint', *{arguments!r}]\nfrom torchlint.__main__ import main\n"
    code += "try: main()\nexcept SystemExit: print('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)

    assert "torchlint.cli" in result.stdout
    assert unneeded & set(result.stdout.splitlines()) == set()

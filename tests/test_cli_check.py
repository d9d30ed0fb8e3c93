"""`torchlint check` from end to end: options, exit statuses, what is printed where, and what bad input meets with."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Torchlint

from torchlint import cli, engine

ROOT = Path(__file__).parents[1]
SAFE = "import torch\n\nw = torch.zeros(2).cuda()\nprint(w)\n"
SAFE_FIXED = 'import torch\n\nw = torch.zeros(2, device="cuda")\nprint(w)\n'
UNSAFE = "import torch\n\nw = torch.rand(2).cuda()\nprint(w)\n"
UNSAFE_FIXED = 'import torch\n\nw = torch.rand(2, device="cuda")\nprint(w)\n'
SHOWN = "import torch\nfrom torch import nn\n\nmodel = nn.DataParallel(nn.Linear(3, 2))\nprint(model(torch.ones(1, 3)))\n"
GOOD = "import torch\n\nprint(torch.ones(2))\n"


def write(name: str, text: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(name: str) -> str:
    return Path(name).read_bytes().decode()


def found(output: str) -> list[str]:
    return [each["code"] for each in json.loads(output)]


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
        (("--select", "TL4"), ["TL401"]),
        (("--select", "TL1,TL7"), ["TL701"]),
        (("--select", "TL4", "--select", "data-parallel"), ["TL401", "TL701"]),
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
        ("check", "--torch-version", "new"),
        ("check", "--jobs", "0"),
        ("check", "--output-file", "no/such/folder/file"),
        ("chekc",),
    ):
        result = torchlint(*arguments)
        assert (result.status, "Traceback" in result.err, result.err != "") == (2, False, True), arguments


def test_a_missing_path_is_2_and_the_rest_is_checked(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    result = torchlint("check", "gone.py", "a.py", "--output-format", "concise")

    assert (result.status, result.err) == (2, "torchlint: gone.py: no such file or folder\n")
    assert "a.py:3:5: TL401" in result.out


def test_a_folder_without_python_says_so_and_is_0(torchlint: Torchlint) -> None:
    Path("empty").mkdir()
    result = torchlint("check", "empty")

    assert (result.status, result.err) == (0, "torchlint: no Python files in empty\n")


BAD_INPUT: dict[str, tuple[bytes, str]] = {
    "syntax error": (b"import torch\nx = = 1\n", "TL001"),
    "python 2": (b"import torch\nprint 'a'\n", "TL001"),
    "NUL byte": (b"import torch\nx = '\0'\n", "TL001"),
    "undecodable": (b"import torch\nx = '\xff'\n", "TL001"),
    "unknown encoding": (b"# coding: klingon\nimport torch\n", "TL001"),
    "deep nesting": (b"import torch\nx = " + b"(" * 5_000 + b")" * 5_000 + b"\n", "TL001"),
    "long chain": (b"import torch\nx = torch" + b".a" * 5_000 + b"\n", "TL001"),
    "unfinished": (b"import torch\ndef f(", "TL001"),
}


@pytest.mark.parametrize("kind", BAD_INPUT)
def test_what_is_not_python_is_one_finding_and_left_as_it_is(torchlint: Torchlint, kind: str) -> None:
    data, code = BAD_INPUT[kind]
    write("bad.py", data)
    write("good.py", SAFE)
    result = torchlint("check", "--fix", "--output-format", "json")

    assert (result.status, found(result.out), result.err) == (1, [code], "")
    assert Path("bad.py").read_bytes() == data
    assert read("good.py") == SAFE_FIXED
    assert torchlint("check").status == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xef\xbb\xbf",
        b"# torch\n",
        b"\x0c\nimport torch\n\x0c\n",
        b"import torch\r\n",
        b"import torch\rx = 1\r",
        b"# coding: latin-1\nimport torch\nx = '\xe9'\n",
        b"import torch",
        b"if 1:\n\timport torch\n",
    ],
)
def test_odd_but_valid_python_is_quiet(torchlint: Torchlint, data: bytes) -> None:
    write("a.py", data)
    result = torchlint("check", "--fix")

    assert (result.status, result.err, Path("a.py").read_bytes()) == (0, "", data)


def test_fixing_keeps_encoding_mark_and_line_ends(torchlint: Torchlint) -> None:
    cases = {
        "crlf.py": SAFE.replace("\n", "\r\n").encode(),
        "bom.py": b"\xef\xbb\xbf" + SAFE.encode(),
        "latin.py": ("# coding: latin-1\n# é\n" + SAFE).encode("latin-1"),
        "end.py": SAFE.rstrip("\n").encode(),
    }
    for name, data in cases.items():
        write(name, data)

    assert torchlint("check", "--fix").status == 0
    for name, data in cases.items():
        assert Path(name).read_bytes() == data.replace(b".zeros(2).cuda()", b'.zeros(2, device="cuda")')


def test_suppressions_count_and_useless_ones_are_removed_by_fix(torchlint: Torchlint) -> None:
    write("a.py", SAFE.replace("cuda()\n", "cuda()  # torchlint: ignore[TL401]\n"))
    write("b.py", GOOD.replace("(2))\n", "(2))  # torchlint: ignore[TL401]\n"))
    result = torchlint("check", "--fix")

    assert (result.status, read("b.py")) == (0, GOOD)
    assert read("a.py").count("torchlint: ignore") == 1


def test_standard_input_is_checked_under_the_name_given(torchlint: Torchlint) -> None:
    write("sub/torchlint.toml", 'ignore = ["TL401"]\n')
    concise = ("--output-format", "concise")

    assert torchlint("check", "-", *concise, stdin=SAFE.encode()).out.startswith("-:3:5: TL401")
    assert torchlint("check", "--stdin-filename", "x/y.py", *concise, stdin=SAFE.encode()).out.startswith("x/y.py:3:5: TL401")
    assert torchlint("check", "-", "--stdin-filename", "sub/a.py", stdin=SAFE.encode()).status == 0
    assert torchlint("check", "-", stdin=b"print(1").out == "No findings in 1 file.\n"


def test_fixing_standard_input_prints_the_text_and_nothing_else(torchlint: Torchlint) -> None:
    for text, after, status in ((SAFE, SAFE_FIXED, 0), (GOOD, GOOD, 0), (UNSAFE, UNSAFE, 1), ("print(1)\n", "print(1)\n", 0)):
        result = torchlint("check", "--fix", "-", stdin=text.encode())
        assert (result.status, result.out) == (status, after)
    encoded = ("# coding: latin-1\r\n# é\r\n" + SAFE).encode("latin-1")
    assert torchlint("check", "--fix", "-", stdin=encoded).stdout == encoded.replace(b"(2).cuda()", b'(2, device="cuda")')
    broken = torchlint("check", "--fix", "-", stdin=b"import torch\nx = '\xff\n")
    assert (broken.status, broken.stdout) == (1, b"import torch\nx = '\xff\n")


def test_diff_of_standard_input(torchlint: Torchlint) -> None:
    result = torchlint("check", "--diff", "--stdin-filename", "a.py", stdin=SAFE.encode())

    assert (result.status, result.out.splitlines()[:2]) == (1, ["--- a.py", "+++ a.py"])


def test_excluded_standard_input_passes_unchanged(torchlint: Torchlint) -> None:
    result = torchlint("check", "--fix", "--force-exclude", "--stdin-filename", "build/a.py", stdin=SAFE.encode())

    assert (result.status, result.out) == (0, SAFE)


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


def test_a_defect_of_a_rule_is_2_and_the_other_files_are_checked(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py", SAFE)
    write("b.py", SAFE + "# odd\n")
    lint = engine.lint

    def sometimes(text: str, *rest: object, **options: object) -> object:
        if "odd" in text:
            raise AssertionError("a defect")
        return lint(text, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "lint", sometimes)
    for options in ((), ("--exit-zero",), ("--output-format", "concise")):
        result = torchlint("check", *options)
        assert (result.status, "TL401" in result.out, "TL000" in result.out) == (2, True, True)
    for options in (("--diff",), ("--fix-only",)):
        result = torchlint("check", *options)
        assert (result.status, "TL000" in result.out + result.err) == (2, True)


def test_a_defect_of_the_command_line_is_one_line_and_2(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise AssertionError("a defect")

    monkeypatch.setattr("torchlint.cli.check.discover", fail)
    result = torchlint("check")

    assert (result.status, result.err.count("\n")) == (2, 1)
    assert "internal error: AssertionError: a defect" in result.err


def test_an_interrupt_is_told_from_findings(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py", SAFE)

    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "fix", interrupt)
    result = torchlint("check", "--fix")

    assert (result.status, result.err.strip(), read("a.py")) == (cli.INTERRUPTED, "torchlint: interrupted; every file is whole", SAFE)


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


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent differently there")
def test_a_signal_in_the_middle_of_fixing_leaves_every_file_whole(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.py" for number in range(60)]
    body = "\n".join(f"def f{number}(x):\n    return x + {number}\n" for number in range(60))
    for path in paths:
        path.write_text(SAFE + body, encoding="utf-8")
    command = [sys.executable, "-m", "torchlint", "check", "--fix", "--jobs", "2", str(tmp_path)]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not any("device=" in path.read_text(encoding="utf-8") for path in paths):
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()

    assert {path.read_text(encoding="utf-8") for path in paths} <= {SAFE + body, SAFE_FIXED + body}
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert process.returncode in (0, cli.INTERRUPTED) and "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes close differently there")
def test_a_reader_that_has_seen_enough_does_no_harm(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.py").write_text(SAFE, encoding="utf-8")
    command = [sys.executable, "-m", "torchlint", "check", str(tmp_path)]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()

    assert (process.wait(), err) == (1, "")


def test_source_that_the_terminal_cannot_show_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SAFE.replace(".cuda()", ".cuda()  # é"), encoding="utf-8")
    command = [sys.executable, "-m", "torchlint", "check", "a.py"]
    result = subprocess.run(command, cwd=tmp_path, env=environment(PYTHONIOENCODING="ascii"), capture_output=True, check=False)

    assert (result.returncode, b"\\xe9" in result.stdout, result.stderr) == (1, True, b"")

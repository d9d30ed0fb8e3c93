"""What bad input, defects and interrupts meet with: one clear line, the right status, no file harmed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_cases import SAFE, SAFE_FIXED, environment, found, read, write
from commands import Torchlint

from torchlint import cli, engine

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


def test_a_missing_path_is_2_and_the_rest_is_checked(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    result = torchlint("check", "gone.py", "a.py", "--output-format", "concise")

    assert (result.status, result.err) == (2, "torchlint: gone.py: no such file or folder\n")
    assert "a.py:3:5: TL401" in result.out


def test_a_named_file_that_may_not_be_read_is_2_and_the_rest_is_checked(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py", SAFE)
    write("closed.py", SAFE)
    access, read_bytes = os.access, Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "closed.py":
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(os, "access", lambda path, mode, **options: "closed" not in str(path) and access(path, mode, **options))
    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = torchlint("check", "closed.py", "a.py", "--no-cache", "--output-format", "concise")

    assert (result.status, result.err) == (2, "torchlint: closed.py: cannot be read: Permission denied\n")
    assert "a.py:3:5: TL401" in result.out


def test_a_folder_without_python_says_so_and_is_0(torchlint: Torchlint) -> None:
    Path("empty").mkdir()
    result = torchlint("check", "empty")

    assert (result.status, result.err) == (0, "torchlint: no Python files in empty\n")


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


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_a_file_name_that_is_no_text_is_checked_like_any_other(torchlint: Torchlint) -> None:
    Path(os.fsdecode(b"\xff.py")).write_text(SAFE, encoding="utf-8")

    assert b"\\udcff.py:3:5" in torchlint("check").stdout
    assert found(torchlint("check", "--output-format", "json").out) == ["TL401"]
    assert torchlint("check", "--fix").status == 0


def test_source_that_the_terminal_cannot_show_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SAFE.replace(".cuda()", ".cuda()  # é"), encoding="utf-8")
    command = [sys.executable, "-m", "torchlint", "check", "a.py"]
    result = subprocess.run(command, cwd=tmp_path, env=environment(PYTHONIOENCODING="ascii"), capture_output=True, check=False)

    assert (result.returncode, b"\\xe9" in result.stdout, result.stderr) == (1, True, b"")


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [("import torch\nprint 'a'\nx = 1\n", 2, 1), ("import torch\nx = = 1\n", 2, 5), ("import torch\n\n\ndef f():\n    return )\n", 5, 12)],
)
def test_a_syntax_error_is_where_python_finds_it(torchlint: Torchlint, text: str, row: int, column: int) -> None:
    write("a.py", text)

    assert torchlint("check", "--output-format", "concise").out.startswith(f"a.py:{row}:{column}: TL001 ")


@pytest.mark.parametrize(
    "key", ["test-files = ['[z-a]']", "exclude = ['[z-a]']", "include = ['!']", "per-file-ignores = {'[z-a]' = ['TL1']}"]
)
def test_a_pattern_that_is_none_is_one_line_and_2(torchlint: Torchlint, key: str) -> None:
    write("a.py", SAFE)
    write("torchlint.toml", key + "\n")
    result = torchlint("check")

    assert (result.status, result.out, result.err.count("\n"), "cannot understand the pattern" in result.err) == (2, "", 1, True)


def test_a_pattern_of_git_that_is_none_is_passed_over(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    write("b.py", SAFE)
    write(".gitignore", "[z-a]\nb.py\n")

    assert found(torchlint("check", "--output-format", "json").out) == ["TL401"]

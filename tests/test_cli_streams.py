"""Streams that are closed or full, names and configuration that mean harm: one clear line, the right status, nothing run, no hang."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_cases import ROOT, SAFE, SAFE_FIXED, environment, found, write
from commands import Torchlint

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="streams, pipes and names are different there")
HARMFUL = "x\n::error file=a::\x1b[2J\u202e.py"


def shell(folder: Path, arguments: str, **variables: str) -> tuple[int, str, str]:
    command = ["sh", "-c", f'exec "$PYTHON" -m torchlint {arguments}']
    result = subprocess.run(
        command, cwd=folder, env=environment(PYTHON=sys.executable, **variables), capture_output=True, timeout=60, check=False
    )
    return result.returncode, result.stdout.decode(), result.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("check a.py >&-", "Error: standard output is closed\n"),
        ("check --fix a.py >&-", "Error: standard output is closed\n"),
        ("--version >&-", "Error: standard output is closed\n"),
        ("check - <&-", "Error: standard input cannot be read: Bad file descriptor\n"),
        ("check nowhere.py 2>&-", ""),
    ],
)
def test_a_closed_stream_is_said_and_2(tmp_path: Path, arguments: str, message: str) -> None:
    (tmp_path / "a.py").write_text(SAFE, encoding="utf-8")
    status, _, err = shell(tmp_path, arguments)

    assert (status, err) == (2, message)
    assert (tmp_path / "a.py").read_text(encoding="utf-8") == SAFE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
@pytest.mark.parametrize("arguments", ["check a.py", "check --diff a.py", "check --fix - <a.py", "rule", "--help"])
def test_output_that_cannot_be_written_is_said_and_2(tmp_path: Path, arguments: str) -> None:
    (tmp_path / "a.py").write_text(SAFE, encoding="utf-8")

    assert shell(tmp_path, f"{arguments} >/dev/full") == (2, "", "torchlint: the output cannot be written: No space left on device\n")
    assert shell(tmp_path, "check nowhere.py 2>/dev/full")[0] == 2


@pytest.mark.parametrize("name", ["/dev/zero", "pipe", ".", "loop", "large.toml", "a\\u0000b", "~nobody-of-this-name/x"])
def test_configuration_is_only_read_from_files_of_a_sane_size(torchlint: Torchlint, name: str) -> None:
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    write("large.toml", b"#" * (1 << 21))
    write("a.py", SAFE)
    write("torchlint.toml", f'extend = "{name}"\n')
    result = torchlint("check")

    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert "cannot be read: " in result.err
    if "\\" not in name:
        given = torchlint("check", "--config", name)
        assert (given.status, given.out, "internal error" in given.err) == (2, "", False)


@pytest.mark.parametrize("target", ["/dev/zero", "pipe", "large"])
def test_an_ignore_file_that_is_no_file_is_passed_over(torchlint: Torchlint, target: str) -> None:
    os.mkfifo("pipe")
    write("large", b"*.py\n" * (1 << 19))
    write("a.py", SAFE)
    Path(".gitignore").symlink_to(target)

    assert found(torchlint("check", "--output-format", "json").out) == ["TL401"]


def test_what_is_no_file_is_waited_for_by_nobody(tmp_path: Path) -> None:
    """Neither by the check nor by what looks at the files around; a pipe would never begin, a device never end."""
    (tmp_path / "a.py").write_text(SAFE, encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "folder.py").mkdir()
    for name, target in {"device.py": "/dev/null", "linked.py": "pipe.py", "loop.py": "loop.py", "gone.py": "nowhere"}.items():
        (tmp_path / name).symlink_to(target)
    for options in ("", "--no-cache", "--fix"):
        status, out, err = shell(tmp_path, f"check . {options} --output-format concise")
        assert (status, err, "in 1 file" in out or "of 1 file" in out) == (0 if options == "--fix" else 1, "", True)
    named = {"pipe.py": "neither a file nor a folder", "device.py": "neither a file nor a folder", "loop.py": "no such file or folder"}
    status, _, err = shell(tmp_path, f"check {' '.join(named)}")

    assert (status, err.splitlines()) == (2, [f"torchlint: {name}: {reason}" for name, reason in named.items()])


def test_a_path_that_no_file_can_have_is_2_and_the_rest_is_checked(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    result = torchlint("check", "x" * 5_000, "a.py")

    assert (result.status, result.err.endswith(": cannot be read: File name too long\n"), "TL401" in result.out) == (2, True, True)


@pytest.mark.parametrize("output_format", ["full", "concise", "github"])
def test_a_file_name_moves_no_cursor_and_starts_no_command(torchlint: Torchlint, output_format: str) -> None:
    write(HARMFUL, SAFE)
    for arguments in (("check", HARMFUL), ("check", "--fix", "--show-fixes", HARMFUL), ("check", "--diff", HARMFUL), ("check", "\n::gone")):
        write(HARMFUL, SAFE)
        result = torchlint(*arguments, "--output-format", output_format)
        shown = result.out + result.err

        assert shown.strip()
        assert not any(character in shown for character in "\x1b\u202e")
        assert not any(row.startswith("::error") for row in shown.splitlines() if f"{Path.cwd()}" not in row)


def test_json_holds_a_file_name_as_it_is(torchlint: Torchlint) -> None:
    import json

    write(HARMFUL, SAFE)

    assert json.loads(torchlint("check", "--output-format", "json").out)[0]["filename"] == str(Path(HARMFUL).absolute())


def test_the_name_of_a_configuration_file_starts_no_command(torchlint: Torchlint) -> None:
    write("x\n::error::/torchlint.toml", "x = 1\ny = 2\n")
    result = torchlint("check", "--config", "x\n::error::/torchlint.toml")

    assert (result.status, result.err.count("\n")) == (2, 2)
    assert "\n::" not in result.err


def test_nothing_of_the_current_folder_is_imported(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SAFE, encoding="utf-8")
    for name in ("click", "libcst", "typing", "tomllib", "pathspec", "dataclasses", "rich", "difflib", "traceback"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()\nraise SystemExit(7)\n", encoding="utf-8")
    status, out, err = shell(tmp_path, "check a.py --fix --show-fixes")

    assert (status, err) == (0, "")
    assert "Fixed 1 finding" in out
    assert (tmp_path / "a.py").read_text(encoding="utf-8") == SAFE_FIXED
    assert not (tmp_path / "ran").exists()


def test_a_checkout_is_found_without_being_installed(tmp_path: Path) -> None:
    (tmp_path / "torchlint").symlink_to(ROOT / "torchlint")
    (tmp_path / "a.py").write_text(SAFE, encoding="utf-8")
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-v", "-m", "torchlint", "check", "a.py", "--output-format", "concise"]
    result = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout.startswith("a.py:3:5: TL401")) == (1, True)
    assert f"{tmp_path}/torchlint/engine.py" in result.stderr

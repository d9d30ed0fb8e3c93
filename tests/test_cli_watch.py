"""`torchlint check --watch`: what makes it check again, and what it says meanwhile."""

import importlib.util
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from cli_cases import GOOD, ROOT, SAFE, environment, write
from commands import Torchlint

from torchlint.cli._watch import is_of_interest


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.py", True),
        ("deep/below/a.pyi", True),
        ("torchlint.toml", True),
        ("requirements-dev.txt", True),
        (".gitignore", True),
        ("notes.txt", False),
        (".torchlint_cache/a.py", False),
        ("deep/.venv/lib/a.py", False),
        ("../a.py", False),
    ],
)
def test_what_a_run_looks_at_is_of_interest(name: str, expected: bool) -> None:
    folder = os.path.abspath(os.sep + os.path.join("home", ".hidden", "project"))

    assert is_of_interest(os.path.normpath(os.path.join(folder, name)), [folder]) is expected


def test_a_configuration_that_is_named_is_of_interest_wherever_it_is(tmp_path: Path) -> None:
    assert is_of_interest(str(tmp_path / "odd.cfg"), ["/elsewhere"], tmp_path / "odd.cfg")


def test_each_change_is_followed_by_a_run_of_its_own(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    def changes(*folders: str, **options: object) -> Iterator[set[tuple[int, str]]]:
        assert folders == (os.getcwd(),)
        write("helper.py", SAFE)
        yield {(1, os.path.abspath("helper.py"))}
        write("torchlint.toml", "nonsense")
        yield {(1, os.path.abspath("torchlint.toml")), *((2, os.path.abspath(f"{each}.py")) for each in "abc")}
        write("torchlint.toml", 'ignore = ["TL401"]')
        yield {(2, os.path.abspath("torchlint.toml"))}

    fake = types.ModuleType("watchfiles")
    fake.__spec__ = ModuleSpec("watchfiles", None)
    fake.watch = changes  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "watchfiles", fake)
    write("helper.py", GOOD)
    result = torchlint("check", "--watch", "--output-format", "concise", "-j", "1")

    assert result.status == 0
    assert result.out.count("TL401") == 1
    assert result.out.index("No findings") < result.out.index("TL401") < result.out.rindex("No findings")
    assert "changed: helper.py\n" in result.err
    assert "changed: a.py, b.py, c.py and others\n" in result.err
    assert "not valid TOML" in result.err


def test_a_missing_extra_is_named(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("torchlint.cli._watch.find_spec", lambda name: None if name == "watchfiles" else find(name))
    result = torchlint("check", "--watch")

    assert result.status == 2
    assert 'pip install "torchlint[watch]"' in result.err


@pytest.mark.parametrize("option", ["--fix", "--fix-only", "--add-suppressions", "--write-baseline"])
def test_watching_changes_nothing(torchlint: Torchlint, option: str) -> None:
    result = torchlint("check", "--watch", option)

    assert result.status == 2
    assert "--watch reports and changes nothing" in result.err


def test_a_change_on_the_disk_is_seen(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    write(str(tmp_path / "a.py"), GOOD)
    command = [sys.executable, "-m", "torchlint", "check", "--watch", "--output-format", "concise", "-j", "1"]
    variables = environment(PYTHONUNBUFFERED="1", PYTHONPATH=os.pathsep.join([str(ROOT), *sys.path]))
    with subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        for number in range(100):  # the first change may come before anybody watches
            write(str(tmp_path / "a.py"), SAFE + "\n" * number)
            line = _line(process, 0.5)
            if line:
                break
        process.terminate()  # an interrupt may be ignored where the tests run in the background
        process.stdout.read()

    assert first.startswith("No findings")
    assert "TL401" in line


def _line(process: "subprocess.Popen[str]", seconds: float) -> str:
    import select

    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return process.stdout.readline() if ready else ""

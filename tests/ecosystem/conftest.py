"""Small git repositories, and the command as these tests call it."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from small_repositories import Commit, Ecosystem, git

from ecosystem import fixing, fixing_child, linting
from ecosystem.__main__ import main
from torchlint.edits import Applicability
from torchlint.output import Report, json_list
from torchlint.run.many import Outcome, check_all, mentioning
from torchlint.run.one import Mode, Task
from torchlint.settings import Configuration
from torchlint.sources.discovery import discover


@pytest.fixture
def commit(tmp_path: Path) -> Commit:
    """Writes files into a repository of the mirror, a new one where there is none, and returns the commit."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")

    def call(repository: str, files: dict[str, str]) -> str:
        folder = tmp_path / "mirror" / repository.replace("/", "+")
        if not folder.exists():
            folder.mkdir(parents=True)
            git(folder, "init", "--quiet")
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        git(folder, "add", "--all", "--force")
        git(folder, "commit", "--quiet", "--message", "a commit")
        return git(folder, "rev-parse", "HEAD")

    return call


@pytest.fixture
def ecosystem(tmp_path: Path) -> Ecosystem:
    """Calls `python -m ecosystem COMMAND OPTIONS` in this process, on tables of the test's own."""
    places = [f"--{name}={tmp_path / name}" for name in ("data", "mirror", "cache")]

    def call(command: str, *options: str, status: int = 0) -> Result:
        result = CliRunner().invoke(main, [command, *places, "--jobs=1", *options], catch_exceptions=False)
        assert result.exit_code == status, result.output
        return result

    return call


@pytest.fixture
def processes() -> None:
    """Asked for by the tests in which torchlint runs in processes of its own, as it does for users of the command."""


@pytest.fixture(autouse=True)
def without_processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All others spare themselves the time that a Python takes to start."""
    if "processes" not in request.fixturenames:
        monkeypatch.setattr(linting, "child", checked_here)
        monkeypatch.setattr(fixing, "child", fixed_here)


def checked_here(arguments: Sequence[str], timeout: float) -> subprocess.CompletedProcess[str]:
    folder, outcome = Path(arguments[-1]), Outcome()
    settings = Configuration(file=Path(arguments[arguments.index("--config") + 1]))
    work = mentioning(discover([folder], settings).files, outcome)
    check_all(work, Task(Mode.CHECK, Applicability.SAFE, (folder,)), outcome, jobs=1, advance=lambda: None)
    said = "\n".join(json_list.render(Report(outcome.reports, outcome.checked, False, False, False)))
    return subprocess.CompletedProcess(arguments, 0, said, "")


def fixed_here(arguments: Sequence[str], timeout: float) -> subprocess.CompletedProcess[str]:
    _, _, folder, level, *rules = arguments
    return subprocess.CompletedProcess(arguments, 0, json.dumps(fixing_child.main(Path(folder), level, tuple(rules))), "")

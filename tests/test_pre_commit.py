"""Both hooks, run by pre-commit itself against a scratch repository, in the environment it builds for them."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "torchlint", "rules", "fixtures")

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("pre_commit") is None, reason="pre-commit is not installed"),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]

FLAWED = """\
import torch
import torch.nn.functional as F


def train(model, loader):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    running = 0.0
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        running += loss
    print(f"{running / len(loader):.4f}")
"""


def git(folder: Path, *arguments: str) -> None:
    identity = [
        "-c",
        "user.name=test",
        "-c",
        "user.email=test@example.invalid",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "init.defaultBranch=main",
    ]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def repository(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    git(folder, "init")
    git(folder, "add", "--all")
    git(folder, "commit", "--message", "start", "--no-verify")
    return folder


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a repository that pre-commit can install from, whatever state the checkout is in."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return repository(folder)


def test_hooks_report_and_repair_a_mistake_and_leave_the_rest_alone(hooks: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "train.py").write_text(FLAWED, encoding="utf-8")
    (scratch / "plain.py").write_text("print('no tensors here')\n", encoding="utf-8")
    repository(scratch)

    command = [sys.executable, "-m", "pre_commit", "try-repo", str(hooks), "--all-files", "--verbose", "--color", "never"]
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
    result = subprocess.run(command, cwd=scratch, capture_output=True, text=True, env=environment, check=False)
    reported, repaired = result.stdout.split("- hook id: torchlint-fix")

    assert result.returncode == 1
    assert ("train.py" in reported, "TL102" in reported, "plain.py" in reported) == (True, True, False)
    assert "files were modified by this hook" in repaired
    assert (scratch / "train.py").read_text(encoding="utf-8") == FLAWED.replace("running += loss\n", "running += loss.detach()\n")
    assert (scratch / "plain.py").read_text(encoding="utf-8") == "print('no tensors here')\n"

"""The GitHub action runs what it says, and every command line and every piece of YAML in the README is one that is taken."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from cli_cases import GOOD, SAFE, environment

from torchlint.cli import torchlint

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
YAML = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = sorted({each.split("  #")[0].split(" > ")[0] for each in re.findall(r"(?:\$ |run: |- )(torchlint .+)$", README, re.MULTILINE)})

needs_bash = pytest.mark.skipif(shutil.which("bash") is None or sys.platform == "win32", reason="needs bash")


def step(name: str) -> dict[str, Any]:
    [found] = (each for each in ACTION["runs"]["steps"] if each.get("name") == name)
    return dict(found)


def run(name: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A step as the runner runs it, with these values for its variables."""
    assert set(variables) == set(step(name)["env"])
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step(name)["run"]]
    variables = {**environment(**variables), "GITHUB_ACTION_PATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_every_step_gets_its_inputs_as_variables_and_never_in_its_text() -> None:
    steps = [each for each in ACTION["runs"]["steps"] if "run" in each]
    inputs = re.findall(r"inputs\.(\w+)", str([each["env"] for each in steps]))

    assert ACTION["runs"]["using"] == "composite"
    assert [each["name"] for each in steps if "${{" in each["run"] or "shell" not in each] == []
    assert sorted(inputs) == sorted(ACTION["inputs"])


@needs_bash
def test_action_annotates_what_it_finds_and_fails(tmp_path: Path) -> None:
    for name, text in {"a/one.py": SAFE, "b/two.py": SAFE, "c/good.py": GOOD}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    everything = run("Check", tmp_path, PYTHON=sys.executable, ARGS="", SRC=ACTION["inputs"]["src"]["default"])
    some = run("Check", tmp_path, PYTHON=sys.executable, ARGS="--select TL401", SRC="b c")
    none = run("Check", tmp_path, PYTHON=sys.executable, ARGS="", SRC="c")

    assert (everything.returncode, some.returncode, none.returncode) == (1, 1, 0)
    assert len(re.findall(r"^::\w+ .*file=", everything.stdout, re.MULTILINE)) == 2
    assert "two.py" in some.stdout and "one.py" not in some.stdout


@needs_bash
def test_action_runs_nothing_that_an_input_holds(tmp_path: Path) -> None:
    run("Check", tmp_path, PYTHON=sys.executable, ARGS="$(touch broken); touch broken", SRC="`touch broken`")

    assert list(tmp_path.iterdir()) == []


@needs_bash
@pytest.mark.parametrize(("version", "installed"), [("0.1.0", "torchlint==0.1.0"), ("", str(ROOT))])
def test_action_installs_the_version_asked_for_or_its_own(tmp_path: Path, version: str, installed: str) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nfor each in "$@"; do echo "$each"; done\n', encoding="utf-8")
    os.chmod(python, 0o755)
    given = run("Install torchlint", tmp_path, PYTHON=str(python), VERSION=version).stdout.splitlines()

    assert (given[:3], given[-1]) == (["-m", "pip", "install"], installed)


@pytest.mark.parametrize("block", YAML)
def test_yaml_in_the_readme_is_valid(block: str) -> None:
    assert yaml.safe_load(block)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_lines_in_the_readme_are_taken(command: str) -> None:
    context = click.Context(torchlint, info_name="torchlint")
    arguments = shlex.split(command)[1:]
    _, found, rest = torchlint.resolve_command(context, arguments)

    assert found is not None
    found.make_context(found.name, rest, parent=context)


def test_inputs_that_the_readme_gives_are_those_of_the_action() -> None:
    given = [each["with"] for block in YAML for each in _steps(yaml.safe_load(block)) if "torchlint/torchlint" in str(each.get("uses"))]

    assert given
    assert {name for each in given for name in each} <= set(ACTION["inputs"])


def _steps(document: Any) -> list[dict[str, Any]]:
    return list(document.get("steps", ())) if isinstance(document, dict) else []

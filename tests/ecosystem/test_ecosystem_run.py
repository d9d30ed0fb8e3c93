"""`python -m ecosystem` over small repositories: figures, changes, samples, verdicts, and what goes wrong."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_repositories import MOVED, TRAINING, Commit, Ecosystem, notebook

from ecosystem import linting

IMPORTED = """from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x)
"""
IMPORTING = """import torch
from pkg.helper import Block


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = [Block(), Block()]

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
"""
PRACTICE = ("--fresh-share", "0")


def run(ecosystem: Ecosystem, *options: str, status: int = 0) -> Any:
    return json.loads(ecosystem("run", "--json", *options, status=status).stdout)


def places(said: Any, group: str) -> list[tuple[str, int, str]]:
    return [(each["path"], each["line"], each["rule"]) for each in said["places"][group]]


@pytest.mark.usefixtures("processes")
def test_findings_are_those_of_a_user_without_the_repositorys_settings(commit: Commit, ecosystem: Ecosystem) -> None:
    silenced = MOVED.replace(".cuda()", ".cuda()  # noqa: TL401")
    settings = "[tool.torchlint]\nignore = ['ALL']\n"
    commit(
        "a/b",
        {"train.py": TRAINING, "moved.py": MOVED, "quiet.py": silenced, "pyproject.toml": settings, "torchlint/__init__.py": "1 / 0\n"},
    )
    ecosystem("pin", *PRACTICE)
    said = run(ecosystem, "--show", "unread")

    assert {"TL102", "TL401"} <= said["rules"].keys()
    assert ("moved.py", 3, "TL401") in places(said, "unread")
    assert {path for path, _, _ in places(said, "unread")} == {"train.py", "moved.py"}
    assert (said["without_state"], said["failures"]) == (["a/b"], [])


def test_a_folder_of_tests_is_one(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"tests/moving.py": MOVED, "moved.py": MOVED})
    ecosystem("pin", *PRACTICE)

    assert {path for path, _, _ in places(run(ecosystem, "--show", "unread"), "unread")} == {"moved.py"}


def test_torch_that_a_repository_needs_counts(commit: Commit, ecosystem: Ecosystem) -> None:
    loading = "import torch\n\nprint(torch.load('a.pt'))\n"
    commit("a/b", {"old.py": loading, "pyproject.toml": "[project]\ndependencies = ['torch>=2.1']\n"})
    commit("c/d", {"new.py": loading})
    ecosystem("pin", *PRACTICE)

    assert places(run(ecosystem, "--show", "unread"), "unread") == [("old.py", 3, "TL901")]


def test_place_in_a_notebook_is_a_row_of_its_file(commit: Commit, ecosystem: Ecosystem) -> None:
    text = notebook("import torch\n%matplotlib inline\n", "1 + 1\n\nweight = torch.zeros(2).cuda()\nprint(weight)\n")
    commit("a/b", {"moved.ipynb": text})
    ecosystem("pin", *PRACTICE)
    [(path, line, rule)] = places(run(ecosystem, "--show", "unread"), "unread")

    assert (path, rule) == ("moved.ipynb", "TL401")
    assert text.splitlines()[line - 1].strip().startswith('"weight = torch')
    assert f"/moved.ipynb?plain=1#L{line}" in ecosystem("run", "--show", "unread").stdout
    assert "weight = torch" in ecosystem("judge", "a/b", path, str(line), rule, "right", "made in the wrong place").stdout


def test_imports_between_files_are_followed(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"train.py": IMPORTING, "pkg/__init__.py": "", "pkg/helper.py": IMPORTED})
    commit("c/d", {"train.py": IMPORTING})
    ecosystem("pin", *PRACTICE)

    assert [(each["repository"], each["path"]) for each in run(ecosystem, "--show", "unread")["places"]["unread"]] == [("a/b", "train.py")]


def test_verdicts_become_precision_and_recall(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"moved.py": MOVED, "other.py": MOVED, "late.py": "import torch\n\n\nprint(torch.ones(1))\n"})
    ecosystem("pin", *PRACTICE)
    ecosystem("judge", "a/b", "moved.py", "3", "TL401", "right", "made in the wrong place")
    ecosystem("judge", "a/b", "other.py", "3", "TL401", "wrong", "so it must be")
    ecosystem("judge", "a/b", "late.py", "4", "TL401", "missed", "never reported", "--found-by", "reading")
    said = run(ecosystem, "--show", "missed", "--show", "unread")

    assert said["rules"]["TL401"] == said["rules"]["total"]
    assert said["rules"]["TL401"]["precision"] == 0.5
    assert said["rules"]["TL401"]["recall_by_reading"] == 0.0
    assert said["rules"]["TL401"]["recall"] == 0.5
    assert places(said, "missed") == [("late.py", 4, "TL401")]
    assert places(said, "unread") == []


def test_verdict_needs_a_line_and_a_pin(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"moved.py": MOVED})
    ecosystem("pin", *PRACTICE)

    assert "no line 9" in ecosystem("judge", "a/b", "moved.py", "9", "TL401", "right", "why", status=2).output
    assert "not pinned: c/d" in ecosystem("judge", "c/d", "moved.py", "3", "TL401", "right", "why", status=2).output
    assert "not a verdict" in ecosystem("judge", "a/b", "moved.py", "3", "401", "right", "why", status=1).output


def test_what_appears_and_disappears_is_told_from_what_moves(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"stays.py": MOVED, "goes.py": MOVED, "healed.py": MOVED})
    ecosystem("pin", *PRACTICE)
    ecosystem("run", "--update")
    assert run(ecosystem)["counts"]["appeared"] == 0

    healed = MOVED.replace("import torch\n", "import numpy as torch\n")
    commit("a/b", {"stays.py": "\n\n" + MOVED, "goes.py": "import torch\n", "healed.py": healed, "new.py": MOVED})
    ecosystem("pin", "--move")
    said = run(ecosystem)

    assert places(said, "appeared") == [("new.py", 3, "TL401")]
    assert places(said, "disappeared") == [("healed.py", 3, "TL401")]


def test_verdict_moves_with_its_line_and_is_stale_without_it(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"stays.py": MOVED, "goes.py": MOVED})
    ecosystem("pin", *PRACTICE)
    for name in ("stays.py", "goes.py"):
        ecosystem("judge", "a/b", name, "3", "TL401", "right", "made in the wrong place")
    commit("a/b", {"stays.py": "\n" + MOVED, "goes.py": "import torch\n"})
    ecosystem("pin", "--move")
    said = run(ecosystem, "--show", "right")

    assert places(said, "right") == [("stays.py", 4, "TL401")]
    assert said["stale"] == ["TL401 a/b goes.py:3"]


def test_state_of_what_was_not_linted_is_kept(commit: Commit, ecosystem: Ecosystem, tmp_path: Path) -> None:
    commit("a/b", {"moved.py": MOVED})
    commit("c/d", {"moved.py": MOVED})
    ecosystem("pin", *PRACTICE)
    ecosystem("run", "--update")
    before = (tmp_path / "data" / "state" / "practice.tsv").read_text(encoding="utf-8")
    ecosystem("run", "--update", "--repository", "a/b")

    assert before.count("moved.py") == 2
    assert (tmp_path / "data" / "state" / "practice.tsv").read_text(encoding="utf-8") == before


def test_fresh_findings_are_counted_and_shown_only_on_request(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"moved.py": MOVED})
    ecosystem("pin", "--fresh-share", "1")
    text = ecosystem("run", "--show", "unread").stdout

    assert "unread: 1 (TL401 1), 1 of them in fresh repositories and not shown" in text
    assert "moved.py" not in text + ecosystem("run", "--sample", "3").stdout
    assert "moved.py" in ecosystem("run", "--sample", "3", "--set", "fresh").stdout


def test_sample_shows_the_source_around_unread_findings(commit: Commit, ecosystem: Ecosystem) -> None:
    at = commit("a/b", {"moved.py": MOVED, "other.py": MOVED})
    ecosystem("pin", *PRACTICE)
    ecosystem("judge", "a/b", "moved.py", "3", "TL401", "right", "made in the wrong place")
    text = ecosystem("run", "--sample", "5", "--context", "1", "--rule", "TL401").stdout

    assert f"https://github.com/a/b/blob/{at}/other.py#L3" in text
    assert ">     3 weight = torch.zeros(2).cuda()" in text
    assert "moved.py" not in text


def test_kept_result_is_used_until_the_sources_change(
    commit: Commit, ecosystem: Ecosystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit("a/b", {"moved.py": MOVED})
    ecosystem("pin", *PRACTICE)
    first = run(ecosystem)
    shutil.rmtree(tmp_path / "mirror")
    (tmp_path / "mirror").mkdir()
    calls = []
    child = linting.child
    monkeypatch.setattr(linting, "child", lambda *arguments: calls.append(arguments) or child(*arguments))

    assert run(ecosystem) == first
    assert calls == []
    monkeypatch.setattr(linting, "digest", lambda: "another")
    assert run(ecosystem) == first
    assert len(calls) == 1


def test_absent_repository_is_named_and_the_others_are_linted(commit: Commit, ecosystem: Ecosystem, tmp_path: Path) -> None:
    commit("a/b", {"moved.py": MOVED})
    commit("c/d", {"moved.py": MOVED})
    ecosystem("pin", *PRACTICE)
    shutil.rmtree(tmp_path / "mirror" / "c+d")
    said = run(ecosystem, status=1)

    assert said["failures"] == ["c/d: absent: not in the mirror"]
    assert said["counts"]["unread"] == 1


@pytest.mark.usefixtures("processes")
def test_time_out_is_reported_and_tried_again_with_more_time(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"moved.py": MOVED})
    ecosystem("pin", *PRACTICE)

    assert run(ecosystem, "--timeout", "0.01", status=1)["failures"] == ["a/b: timed out: after 0 s"]
    assert run(ecosystem)["counts"]["unread"] == 1


def test_internal_error_is_reported(commit: Commit, ecosystem: Ecosystem, monkeypatch: pytest.MonkeyPatch) -> None:
    commit("a/b", {"moved.py": MOVED})
    ecosystem("pin", *PRACTICE)
    child = linting.child

    def failing(*arguments: Any) -> Any:
        process = child(*arguments)
        process.stdout = process.stdout.replace('"TL401"', '"TL000"', 1)
        process.stderr = "torchlint: other.py: cannot be read\n"
        return process

    monkeypatch.setattr(linting, "child", failing)
    said = run(ecosystem, status=1)

    assert said["failures"][0] == "a/b: torchlint: other.py: cannot be read"
    assert said["failures"][1].startswith("a/b: moved.py: ")


@pytest.mark.usefixtures("processes")
def test_process_that_dies_is_reported_and_not_kept(commit: Commit, ecosystem: Ecosystem, monkeypatch: pytest.MonkeyPatch) -> None:
    commit("a/b", {"moved.py": MOVED})
    ecosystem("pin", *PRACTICE)
    child = linting.child
    with monkeypatch.context() as patch:
        patch.setattr(linting, "child", lambda _, timeout: child(["-c", "import os; os._exit(7)"], timeout))

        assert run(ecosystem, status=1)["failures"] == ["a/b: failed: status 7: no output"]
    assert run(ecosystem)["counts"]["unread"] == 1


def test_files_are_drawn_for_reading_without_a_word_on_their_findings(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"moved.py": MOVED, "plain.py": "import os\n"})
    commit("c/d", {"moved.py": MOVED, "train.py": TRAINING})
    ecosystem("pin", *PRACTICE)
    drawn = [line for line in ecosystem("files", "--sample", "2").stdout.splitlines() if not line.startswith(" ")]

    assert {line.split()[0] for line in drawn} == {"a/b", "c/d"}
    assert "a/b moved.py" in drawn
    assert "TL401" not in "".join(drawn)

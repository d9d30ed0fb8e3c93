"""`python -m ecosystem fix-check`: what fixing does to copies."""

from pathlib import Path

import pytest
from small_repositories import MOVED, Commit, Ecosystem, notebook

from ecosystem import fixing

PRACTICE = ("--fresh-share", "0")


@pytest.mark.usefixtures("processes")
def test_sound_fixes_are_counted_and_shown(commit: Commit, ecosystem: Ecosystem, tmp_path: Path) -> None:
    commit("a/b", {"moved.py": MOVED})
    ecosystem("pin", *PRACTICE)
    text = ecosystem("fix-check").stdout

    assert "unsafe fixes: TL401 1" in text
    assert "TL401 a/b moved.py" in text
    assert "-weight = torch.zeros(2).cuda()" in text
    assert [file.read_text(encoding="utf-8") for file in (tmp_path / "cache" / "trees").rglob("moved.py")] == [MOVED]


def test_fixes_in_a_notebook_are_counted_and_hold(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"moved.ipynb": notebook("%matplotlib inline\n", MOVED)})
    ecosystem("pin", *PRACTICE)
    text = ecosystem("fix-check").stdout

    assert "unsafe fixes: TL401 1" in text
    assert "TL401 a/b moved.ipynb" in text


def test_rule_that_finds_nothing_fixes_nothing(commit: Commit, ecosystem: Ecosystem) -> None:
    commit("a/b", {"moved.py": MOVED})
    ecosystem("pin", *PRACTICE)

    assert "unsafe fixes: none" in ecosystem("fix-check", "--rule", "TL102").stdout


def test_fix_that_breaks_or_never_ends_is_a_fault(commit: Commit, ecosystem: Ecosystem, monkeypatch: pytest.MonkeyPatch) -> None:
    commit("a/b", {"broken.py": "x = 1\n", "grows.py": "x = 1\n", "python2.py": "print 1\n", "cells.ipynb": notebook("x = 1")})
    ecosystem("pin", *PRACTICE)

    def run(copy: Path, *_: object) -> tuple[dict[str, list[str]], list[str]]:
        for name, text in (("broken.py", "x = = 1\n"), ("python2.py", "print 2\n"), ("cells.ipynb", notebook("x = = 1"))):
            (copy / name).write_text(text, encoding="utf-8")
        with (copy / "grows.py").open("a", encoding="utf-8") as file:
            file.write("x = 1\n")
        return {}, []

    monkeypatch.setattr(fixing, "_run", run)
    text = ecosystem("fix-check", status=1).stdout

    assert text.count("a/b: no longer compiles: broken.py") == 2
    assert text.count("a/b: no longer compiles: cells.ipynb") == 2
    assert text.count("a/b: a second run changes it again: grows.py") == 2
    assert "python2.py" not in text.replace("a/b python2.py", "")


@pytest.mark.usefixtures("processes")
def test_process_that_dies_is_a_fault(commit: Commit, ecosystem: Ecosystem, monkeypatch: pytest.MonkeyPatch) -> None:
    commit("a/b", {"moved.py": MOVED})
    ecosystem("pin", *PRACTICE)
    child = fixing.child
    monkeypatch.setattr(fixing, "child", lambda _, timeout: child(["-c", "raise SystemExit(3)"], timeout))

    assert "a/b: status 3: no output" in ecosystem("fix-check", status=1).stdout


def test_hunks_come_apart_with_the_rows_around_them() -> None:
    rows = [f"{number}\n" for number in range(30)]
    changed = [*rows[:2], "new\n", *rows[3:28], "new\n", *rows[29:]]
    found = fixing.hunks("".join(rows).encode(), "".join(changed).encode())

    assert len(found) == 2
    assert all("+new" in each and each.startswith("@@") for each in found)

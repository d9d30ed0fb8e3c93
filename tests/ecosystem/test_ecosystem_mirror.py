"""Which git directories are found, and what is taken out of them."""

import os
from pathlib import Path

import pytest
from small_repositories import Commit, git, notebook

from ecosystem import mirror
from ecosystem.mirror import Unavailable, git_directories, newest, tree
from ecosystem.pins import Pin


def pinned(commit: str) -> Pin:
    return Pin("owner/name", commit, "practice", ())


@pytest.mark.parametrize(
    "place", ["owner+name/.git", "owner+name.git", "owner/name/.git", "owner/name.git", "owner+name/repo", "deep/owner+name/repo/.git"]
)
def test_git_directory_is_found_bare_or_not(place: str, tmp_path: Path) -> None:
    (tmp_path / place / "objects").mkdir(parents=True)
    (tmp_path / place / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")

    assert git_directories(tmp_path) == {"owner/name": tmp_path / place}


def test_code_and_files_that_name_dependencies_are_taken_out(commit: Commit, tmp_path: Path) -> None:
    files = {
        "a.py": "import os\n",
        "pkg/b.py": "x = 1\r\n",
        "pkg/requirements/base.txt": "torch>=2.1\n",
        "pyproject.toml": "[tool.torchlint]\n",
        ".gitignore": "*.py\n",
        "c.txt": "text\n",
        "d.ipynb": notebook("x = 1"),
    }
    at = commit("owner/name", files)
    found = tree(pinned(at), tmp_path / "mirror" / "owner+name" / ".git", tmp_path / "cache")

    assert sorted(file.relative_to(found.root).as_posix() for file in found.root.rglob("*") if file.is_file()) == [
        "a.py",
        "d.ipynb",
        "pkg/b.py",
        "pkg/requirements/base.txt",
        "pyproject.toml",
    ]
    assert (found.files, found.left_out) == (3, ())
    assert (found.root / "pkg" / "b.py").read_bytes() == Path(tmp_path, "mirror", "owner+name", "pkg", "b.py").read_bytes()


def test_links_are_not_followed_and_odd_names_are_named(commit: Commit, tmp_path: Path) -> None:
    commit("owner/name", {"tab\there.py": "x = 1\n", "a.py": "x = 1\n"})
    work = tmp_path / "mirror" / "owner+name"
    os.symlink("/etc/hostname", work / "link.py")
    at = commit("owner/name", {})
    found = tree(pinned(at), work / ".git", tmp_path / "cache")

    assert [file.name for file in found.root.iterdir() if file.name != ".git"] == ["a.py"]
    assert found.left_out == (r"tab\there.py",)


def test_file_that_the_snapshot_does_not_hold_is_named(commit: Commit, tmp_path: Path) -> None:
    at = commit("owner/name", {"a.py": "x = 1\n", "lost.py": "y = 2\n"})
    work = tmp_path / "mirror" / "owner+name"
    blob = git(work, "rev-parse", "HEAD:lost.py")
    (work / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    found = tree(pinned(at), work / ".git", tmp_path / "cache")

    assert (found.files, found.left_out) == (1, ("lost.py",))


def test_tree_that_was_taken_out_needs_no_mirror(commit: Commit, tmp_path: Path) -> None:
    at = commit("owner/name", {"a.py": "x = 1\n"})
    first = tree(pinned(at), tmp_path / "mirror" / "owner+name" / ".git", tmp_path / "cache")

    assert tree(pinned(at), None, tmp_path / "cache") == first


def test_tree_of_which_other_files_were_taken_out_is_taken_out_again(
    commit: Commit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = commit("owner/name", {"a.py": "x = 1\n", "b.ipynb": notebook("x = 1")})
    git_directory = tmp_path / "mirror" / "owner+name" / ".git"
    with monkeypatch.context() as context:
        context.setattr(mirror, "SUFFIXES", (".py",))
        assert tree(pinned(at), git_directory, tmp_path / "cache").files == 1

    assert tree(pinned(at), git_directory, tmp_path / "cache").files == 2


def test_unknown_commit_is_unavailable(commit: Commit, tmp_path: Path) -> None:
    commit("owner/name", {"a.py": "x = 1\n"})
    git_directory = tmp_path / "mirror" / "owner+name" / ".git"

    with pytest.raises(Unavailable, match="ls-tree"):
        tree(pinned("0" * 40), git_directory, tmp_path / "cache")
    with pytest.raises(Unavailable, match="mirror"):
        tree(pinned("0" * 40), None, tmp_path / "cache")


def test_newest_commit_is_that_of_head(commit: Commit, tmp_path: Path) -> None:
    commit("owner/name", {"a.py": "x = 1\n"})
    at = commit("owner/name", {"a.py": "x = 2\n"})

    assert newest(tmp_path / "mirror" / "owner+name" / ".git") == at

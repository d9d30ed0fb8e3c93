"""Snapshots of repositories on this machine: where the git directories lie, what is newest in them, which code a commit has.

Nothing of a repository is ever executed or imported. Only regular files are taken out: `.py` files and notebooks, and those in which a
project names the torch that it needs. No links, no `.gitignore`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ecosystem.pins import Pin
from torchlint import dependencies
from torchlint.sources.kinds import NOTEBOOK
from torchlint.sources.notebooks import Notebook

DEPTH = 3
"""How many folders below the mirror a git directory, or the work tree around it, may lie."""
SUFFIXES = (".py", NOTEBOOK)
"""Of the files that are linted."""
_NOTE = "taken_out.json"


class Unavailable(Exception):
    """The pinned commit cannot be had from the mirror; the message says why."""


class Tree(NamedTuple):
    """The Python files and notebooks of one commit, and the files that name its dependencies."""

    root: Path
    files: int
    """How many Python files and notebooks."""
    left_out: tuple[str, ...]
    """Paths that the snapshot lists and does not hold, or whose names cannot be shown."""

    def lines(self, path: str) -> list[str]:
        """The rows of a file as torchlint counts them, those of JSON in a notebook; none if there is no such file."""
        file = self.root / path
        return re.split(r"\r\n|\r|\n", file.read_bytes().decode("utf-8-sig", errors="replace")) if file.is_file() else []

    def row_of_cell(self, path: str, cell: int, row: int) -> int:
        """The row of a notebook's own file on which a row of one of its cells is written."""
        return Notebook((self.root / path).read_bytes()).cells.written_in(cell, row)

    def mentioning(self, word: bytes) -> list[str]:
        """The files in which the word stands."""
        return sorted(file.relative_to(self.root).as_posix() for file in sources(self.root) if word in file.read_bytes())


def sources(folder: Path) -> list[Path]:
    """The Python files and notebooks below a folder."""
    return sorted(file for file in folder.rglob("*") if file.name.endswith(SUFFIXES) and file.is_file())


def git_directories(mirror: Path) -> dict[str, Path]:
    """The git directory of each repository that lies in folders named `owner+name` or `owner/name`, bare or not."""
    found: dict[str, Path] = {}
    for folder, git in _walk(mirror, 0):
        parts = folder.relative_to(mirror).parts
        joined = next((part for part in parts if part.count("+") == 1), None)
        name = joined.replace("+", "/") if joined else "/".join(parts[:2])
        found.setdefault(name.removesuffix(".git"), git)
    return found


def _walk(folder: Path, depth: int) -> Iterator[tuple[Path, Path]]:
    for git in (folder / ".git", folder):
        if (git / "HEAD").is_file() and (git / "objects").is_dir():
            yield folder, git
            return
    if depth < DEPTH and folder.is_dir():
        for inside in sorted(folder.iterdir()):
            if inside.is_dir() and not inside.is_symlink() and not inside.name.startswith("."):
                yield from _walk(inside, depth + 1)


def newest(git: Path) -> str:
    return _git(git, "rev-parse", "--verify", "HEAD^{commit}").decode().strip()


def tree(pin: Pin, git: Path | None, cache: Path) -> Tree:
    """The files of the pinned commit, from the cache if they were taken out before: that needs no mirror."""
    folder = cache / "trees" / pin.folder / pin.commit
    note = folder / _NOTE
    said = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
    if said.get("suffixes") != list(SUFFIXES):
        if git is None:
            raise Unavailable("not in the mirror")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as building:
            files, left_out = _extract(git, pin.commit, Path(building) / "tree")
            said = {"files": files, "left_out": left_out, "suffixes": list(SUFFIXES)}
            (Path(building) / _NOTE).write_text(json.dumps(said), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)  # of a run that was broken off, or that took out other files
            os.replace(building, folder)
            os.mkdir(building)  # what leaving the block removes
    return Tree((folder / "tree").resolve(), said["files"], tuple(said["left_out"]))


def _extract(git: Path, commit: str, into: Path) -> tuple[int, list[str]]:
    (into / ".git").mkdir(parents=True)  # where its root is: whoever looks for dependencies goes no further
    entries = [entry.split(b"\t", 1) for entry in _git(git, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0") if entry]
    wanted = [(about.split()[2], name) for about, name in entries if about.startswith((b"100644", b"100755")) and _is_wanted(name)]
    content = _git(git, "cat-file", "--batch", given=b"".join(identity + b"\n" for identity, _ in wanted))
    files, left_out, position = 0, [], 0
    for _, name in wanted:
        end = content.index(b"\n", position)
        header = content[position:end].split()
        position = end + 1
        data = None
        if header[-1] != b"missing":
            data = content[position : position + int(header[-1])]
            position += len(data) + 1
        path = name.decode("utf-8", errors="backslashreplace")
        if data is None or not _is_plain(path, name):
            left_out.append(ascii(path).strip("'"))
            continue
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).write_bytes(data)
        files += path.endswith(SUFFIXES)
    return files, left_out


def _is_wanted(name: bytes) -> bool:
    return name.endswith(tuple(map(str.encode, SUFFIXES))) or dependencies.is_read(name.decode("utf-8", errors="replace"))


def _is_plain(path: str, name: bytes) -> bool:
    """Whether the path can be written as it is, stays below the folder that it is written to, and fits into a table."""
    parts = PurePosixPath(path).parts
    return path.encode() == name and path.isprintable() and "\\" not in path and parts[0] != "/" and ".." not in parts


def _git(git: Path, *arguments: str, given: bytes = b"") -> bytes:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"GIT_NO_LAZY_FETCH": "1"}
    command = ["git", f"--git-dir={git}", *arguments]
    try:
        return subprocess.run(command, input=given, capture_output=True, check=True, env=environment).stdout
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines()
        raise Unavailable(f"git {arguments[0]}: {reason[-1] if reason else f'exit status {error.returncode}'}") from error
    except FileNotFoundError as error:
        raise Unavailable("git is not installed") from error

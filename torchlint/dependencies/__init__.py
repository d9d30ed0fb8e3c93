"""Which versions of torch a project says that it works with, read from the files in which it names its dependencies.

Nothing of a project is run. A file that cannot be read, or says something that is no version, says nothing: it is not ours to judge.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from torchlint.sources import regular

_LARGEST_LOCK = 16 << 20
"""Bytes. Locks are written by programs, and name every file of every dependency."""


class Declared(NamedTuple):
    """What a project says of torch, as minor versions such as `2.1`."""

    oldest: str | None
    newest: str | None
    """None where it sets no limit."""
    file: Path
    """Where it says so."""


def declared(folder: Path) -> Declared | None:
    """What the files of this very folder say: those of the first kind that says anything."""
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError):
        return None
    for kind in _KINDS:
        found = _of_kind(folder, names, kind)
        if found is not None:
            return found
    return None


class _Kind(NamedTuple):
    patterns: Sequence[str]
    reader: str
    """The function of `torchlint.dependencies.files` that reads such a file."""
    largest: int = regular.LARGEST


_KINDS = (
    _Kind(("pyproject.toml",), "pyproject"),
    _Kind(("setup.cfg",), "setup_cfg"),
    _Kind(("setup.py",), "setup_py"),
    _Kind(("requirements*.txt", "requirements/*.txt"), "requirements"),
    _Kind(("environment*.y*ml", "env.y*ml", "conda*.y*ml"), "environment"),
    _Kind(("uv.lock", "poetry.lock", "pdm.lock"), "lock", _LARGEST_LOCK),
)
"""In order of precedence. What a lock has settled on is told only where nothing says what the project asks for."""


def is_read(path: str) -> bool:
    """Whether the file at a path, written with slashes, is one of those that are read in some folder."""
    *_, above, name = ("", *path.split("/"))
    return any(fnmatchcase(f"{above}/{name}" if "/" in each else name, each) for kind in _KINDS for each in kind.patterns)


def _of_kind(folder: Path, names: Sequence[str], kind: _Kind) -> Declared | None:
    speaking = [(file, text) for file in _files(folder, names, kind.patterns) if (text := _text(file, kind.largest)) is not None]
    if not speaking:
        return None
    # Imported only where a file speaks of torch: most folders do not, and `--version` must not wait.
    from torchlint.dependencies import bounds, files

    read: Callable[[str], list[bounds.Bounds]] = getattr(files, kind.reader)
    found = [(each, file) for file, text in speaking for each in read(text) if each.says_anything]
    if not found:
        return None
    both = bounds.any_of([each for each, _ in found])
    deciding = next((file for each, file in found if each.oldest == both.oldest), found[0][1])
    return Declared(bounds.shown(both.oldest), bounds.shown(both.newest), deciding)


def _files(folder: Path, names: Sequence[str], patterns: Sequence[str]) -> list[Path]:
    found = []
    for pattern in patterns:
        inside, slash, last = pattern.rpartition("/")
        if slash and inside in names:
            try:
                found += [folder / inside / name for name in sorted(os.listdir(folder / inside)) if fnmatchcase(name, last)]
            except OSError:
                continue
        elif not slash:
            found += [folder / name for name in names if fnmatchcase(name, pattern)]
    return found


def _text(file: Path, largest: int) -> str | None:
    """The text of a file that names torch; `pip freeze > requirements.txt` writes UTF-16 in some shells."""
    try:
        data = regular.read(file, largest)
    except OSError:
        return None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(encoding, errors="replace")
    return text if "torch" in text else None

"""Which files a run checks: the paths given, what lies in their folders, and what `.gitignore` and the configuration leave out.

A path named by the user is checked whatever the patterns say, unless they are forced on it. Symbolic links to folders are not
followed, as git does not follow them; nothing is checked twice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from torchlint.settings import Configuration, Settings
from torchlint.sources import regular
from torchlint.sources.patterns import matcher, relative

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Discovered(NamedTuple):
    files: list[tuple[Path, Settings]]
    """In the order of the paths given, by name within a folder."""
    problems: list[str]
    """What could not be looked at, one line each."""


class _Ignore(NamedTuple):
    """The patterns of one `.gitignore`, and the folder that they are relative to."""

    base: str
    spec: GitIgnoreSpec

    def verdict(self, path: str) -> bool | None:
        """Whether the path is ignored, or None if the patterns do not speak of it."""
        return self.spec.check_file(path[len(self.base) :]).include


def discover(paths: Iterable[Path], configuration: Configuration, *, force_exclude: bool = False) -> Discovered:
    found = Discovered([], [])
    seen: set[str] = set()
    for path in paths:
        absolute = path.absolute()
        try:
            path.lstat()
        except FileNotFoundError:
            found.problems.append(f"{path}: no such file or folder")
            continue
        except OSError as error:
            found.problems.append(f"{path}: cannot be read: {error.strerror}")
            continue
        if force_exclude and _is_excluded(absolute, configuration):
            continue
        if path.is_dir():
            for file, settings in _Walk(configuration, found.problems).files(path):
                _add(found, seen, file, settings)
        elif path.is_file():
            _add(found, seen, path, configuration.settings(absolute.parent))
        elif path.exists():
            found.problems.append(f"{path}: neither a file nor a folder")
        else:  # a link that leads nowhere
            found.problems.append(f"{path}: no such file or folder")
    return found


def is_excluded(path: Path, configuration: Configuration) -> bool:
    """Whether the configuration leaves out this file or a folder that it lies in."""
    return _is_excluded(path.absolute(), configuration)


def is_left_out(path: Path, configuration: Configuration) -> bool:
    """Whether a check of its folder would pass over the file: it is excluded, or the configuration says what is included."""
    settings = configuration.settings(path.absolute().parent)
    if settings.include != Settings().include and not matcher(settings.include)(relative(path.absolute(), settings.root)):
        return True
    return is_excluded(path, configuration)


def _is_excluded(absolute: Path, configuration: Configuration) -> bool:
    settings = configuration.settings(absolute.parent)
    location = relative(absolute, settings.root)
    return matcher((*settings.exclude, *settings.extend_exclude))(location + "/" if absolute.is_dir() else location)


def _add(found: Discovered, seen: set[str], file: Path, settings: Settings) -> None:
    identity = os.path.realpath(file)
    if identity not in seen:
        seen.add(identity)
        found.files.append((file, settings))


class _Walk:
    """One folder that the user named."""

    def __init__(self, configuration: Configuration, problems: list[str]) -> None:
        self._configuration = configuration
        self._problems = problems

    def files(self, top: Path) -> Iterator[tuple[Path, Settings]]:
        self._top = top.absolute()
        yield from self._folder(top, self._top, _outer_ignores(self._top))

    def _folder(self, folder: Path, absolute: Path, ignores: Sequence[_Ignore]) -> Iterator[tuple[Path, Settings]]:
        """`folder` as the user will see it."""
        try:
            with os.scandir(absolute) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            self._problems.append(f"{folder}: cannot be read: {error.strerror}")
            return
        settings = self._configuration.settings(absolute)
        excluded, included, prefix = _judge(settings, self._top)
        location = prefix + "".join(part + "/" for part in absolute.relative_to(self._top).parts)
        if any(entry.name == ".gitignore" for entry in entries):
            ignores = [*ignores, *_read_ignore(absolute / ".gitignore", absolute)]
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            name = location + entry.name
            if is_folder:
                inside = absolute / entry.name
                if not excluded(name + "/") and not _ignored(inside.as_posix() + "/", ignores):
                    yield from self._folder(folder / entry.name, inside, ignores)
            elif included(name) and not excluded(name) and _is_file(entry) and not _ignored((absolute / entry.name).as_posix(), ignores):
                yield folder / entry.name, settings


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a symbolic link that leads back to itself
        return False


@lru_cache(maxsize=64)
def _judge(settings: Settings, top: Path) -> tuple[Callable[[str], bool], Callable[[str], bool], str]:
    """What is excluded and what included below a folder that the user named, and that folder as the patterns see it.

    A pattern that would leave out the folder itself has no say inside it.
    """
    prefix = relative(top, settings.root) + "/" if top.is_relative_to(settings.root) and top != settings.root else ""
    patterns = (*settings.exclude, *settings.extend_exclude)
    if prefix:
        patterns = tuple(pattern for pattern in patterns if not matcher((pattern,))(prefix))
    if settings.include == Settings().include:
        return matcher(patterns), lambda name: name.endswith((".py", ".pyi", ".ipynb", ".md")), prefix
    return matcher(patterns), matcher(settings.include), prefix


def _ignored(path: str, ignores: Sequence[_Ignore]) -> bool:
    """The nearest `.gitignore` that speaks of the path decides."""
    for ignore in reversed(ignores):
        verdict = ignore.verdict(path)
        if verdict is not None:
            return verdict
    return False


def _outer_ignores(top: Path) -> list[_Ignore]:
    """The `.gitignore` files above a folder, up to the root of its repository. One that ignores the folder itself has no say in it."""
    above: list[_Ignore] = []
    for folder in (top, *top.parents):
        if folder != top:
            above[:0] = _read_ignore(folder / ".gitignore", folder)
        if os.path.exists(folder / ".git"):  # a folder that may not be entered raises nothing here
            above[:0] = _read_ignore(folder / ".git" / "info" / "exclude", folder)
            return [each for each in above if not each.verdict(top.as_posix() + "/")]
    return []


def _read_ignore(file: Path, base: Path) -> list[_Ignore]:
    try:
        lines = regular.read(file).decode("utf-8", "surrogateescape").splitlines()
    except OSError:  # absent, or no file at all: git passes over it as well
        return []
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    if not lines:
        return []
    from pathspec import GitIgnoreSpec

    try:
        spec = GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        spec = GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)])
    return [_Ignore(base.as_posix().rstrip("/") + "/", spec)]


def _is_pattern(line: str) -> bool:
    """git passes over lines that are no patterns, such as a lone `!`."""
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True

"""Who else in a run may get at an attribute: a look at the text of all its files, for what nothing short of every file can answer.

Nothing is parsed. A name in a comment or in a string counts as used: whoever asks wants to be sure that nobody uses it.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from torchlint.program import forms
from torchlint.program.grounds import Answer, Question, digest

_CLASS = re.compile(r"^[ \t]*class[ \t]+(\w+)[ \t]*\(([^)]*)\)", re.MULTILINE)
_WORD = re.compile(r"\w+")
_MOST_FOLDERS, _MOST_BYTES = 1_500, 25_000_000
"""What takes a second or two. Beyond, every name counts as used."""
_LEFT_OUT = frozenset("node_modules site-packages venv __pycache__ build dist".split())


class Neighbours:
    """The texts of all files below some folders."""

    def __init__(self, roots: Iterable[str]) -> None:
        self._texts: dict[str, str] = {}
        self._written: dict[re.Pattern[str], dict[str, int]] = {}
        """For each pattern that was asked for, the files in which it is found, and where it begins."""
        self._is_complete = self._read(dict.fromkeys(roots))

    def answer(self, question: Question, path: str) -> Answer:
        """What the files other than this one say to a question: `name`, `write`, `find` or `reach`, and about what."""
        kind, first, *others = question
        if kind == "name":
            return self.name(str(first), path)
        if kind == "reach":
            return self.reaches(str(first), str(others[0]), path)
        pattern = re.compile(str(first), int(others[0]))
        return self.write(pattern, path) if kind == "write" else self.find(pattern, path)

    def name(self, word: str, path: str) -> bool:
        """Whether another file uses a word."""
        return not self._is_complete or any(_has_word(text, word) for text in self._others(path))

    def write(self, pattern: re.Pattern[str], path: str) -> bool:
        """Whether something of this form stands in another file."""
        return not self._is_complete or not self._found(pattern).keys() <= {path}

    def find(self, pattern: re.Pattern[str], path: str) -> tuple[tuple[str, int], ...] | None:
        """The other files in which something of this form stands, and its first line there; None where there are too many to look."""
        if not self._is_complete:
            return None
        found = self._found(pattern)
        return tuple((other, self._texts[other].count("\n", 0, start) + 1) for other, start in found.items() if other != path)

    def _found(self, pattern: re.Pattern[str]) -> dict[str, int]:
        if pattern not in self._written:
            matches = ((other, forms.found(pattern, text)) for other, text in self._texts.items())
            self._written[pattern] = {other: match.start() for other, match in matches if match is not None}
        return self._written[pattern]

    def reaches(self, attribute: str, of: str, path: str) -> bool:
        """Whether another file may ask an instance of a class for this attribute: of anything but `self`, or in a subclass."""
        if not self._is_complete:
            return True
        family = self._family(of)
        reached = re.compile(rf"(?<!\bself)\.{attribute}\b|[\"'](?:[\w.]+\.)?{attribute}[\"'.\[]")
        for text in self._others(path):
            if attribute in text and (reached.search(text) or any(_has_word(text, word) for word in family)):
                return True
        return False

    def _others(self, path: str) -> Iterator[str]:
        return (text for other, text in self._texts.items() if other != path)

    def _family(self, name: str) -> set[str]:
        """A class and all that inherit from one of its name."""
        found, waiting = {name}, [name]
        while waiting:
            for each in self._heirs.get(waiting.pop(), ()):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return found

    @cached_property
    def _heirs(self) -> dict[str, set[str]]:
        heirs: dict[str, set[str]] = {}
        for text in self._texts.values():
            for name, bases in _CLASS.findall(text):
                for base in _WORD.findall(bases):
                    heirs.setdefault(base, set()).add(name)
        return heirs

    def _read(self, roots: Iterable[str]) -> bool:
        digests = around(roots, self._read_one)
        if digests is None:
            self._texts.clear()
        self.digest = together(digests)
        return digests is not None

    def _read_one(self, path: str) -> tuple[str, int]:
        if not os.path.isfile(path):  # a pipe of that name would be waited for
            raise OSError(errno.EINVAL, "not a regular file", path)
        data = Path(path).read_bytes()
        self._texts[path] = data.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        return digest(data), len(data)


def around(roots: Iterable[str], look: Callable[[str], tuple[str, int]]) -> dict[str, str] | None:
    """The digests of all files below some folders, given how to get one and its size; None where there are too many to look."""
    found: dict[str, str] = {}
    folders = size = 0
    for root in roots:
        for path in _files(root):
            if path is None:
                folders += 1
            elif path not in found:
                try:
                    found[path], more = look(path)
                except OSError:
                    continue  # its own check reports what is wrong with it
                size += more
            if folders > _MOST_FOLDERS or size > _MOST_BYTES:
                return None
    return found


def together(digests: Mapping[str, str] | None) -> str:
    """One digest for all of them: where it is the same, so is every answer."""
    if digests is None:
        return "too many"
    return digest("".join(f"{path}\0{each}\n" for path, each in digests.items()).encode("utf-8", "surrogatepass"))


def _has_word(text: str, word: str) -> bool:
    return word in text and re.search(rf"\b{word}\b", text) is not None


def _files(root: str) -> Iterator[str | None]:
    """The Python files below a folder, and None for each folder on the way."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in _LEFT_OUT)
        yield None
        yield from (os.path.join(folder, each) for each in sorted(files) if each.endswith((".py", ".pyi", ".ipynb")))

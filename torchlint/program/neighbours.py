"""Which names the files of a run use: a look at their text alone, for questions that nothing short of every file can answer.

Nothing is parsed. A name in a comment or in a string counts as used: whoever asks wants to be sure that nobody uses it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_WORD = re.compile(r"[A-Za-z_]\w*")
_REACHED = re.compile(r"(?<!\bself)\.([A-Za-z_]\w*)|[\"']([A-Za-z_]\w*)[\"']")
_MOST_FOLDERS, _MOST_CHARACTERS = 1_500, 25_000_000
"""What takes a second or two. Beyond, every name counts as used."""
_LEFT_OUT = frozenset("node_modules site-packages venv __pycache__ build dist".split())


class Neighbours:
    """The words of all files below some folders."""

    def __init__(self, roots: Iterable[str]) -> None:
        self._words: dict[str, str | None] = {}
        """The one file that a word stands in; None where there are several."""
        self._reached: dict[str, str | None] = {}
        """The same for attributes of anything but `self`, and for strings that could name one."""
        self.is_complete = self._read(dict.fromkeys(roots))

    def name(self, word: str, path: str) -> bool:
        """Whether another file uses a word."""
        return not self.is_complete or self._words.get(word, path) != path

    def reaches(self, attribute: str, path: str) -> bool:
        """Whether another file may ask some object for this attribute."""
        return not self.is_complete or self._reached.get(attribute, path) != path

    def _read(self, roots: Iterable[str]) -> bool:
        folders = characters = 0
        for root in roots:
            for path in _files(root):
                if path is None:
                    folders += 1
                else:
                    try:
                        text = Path(path).read_text(encoding="utf-8", errors="replace")
                    except OSError:
                        continue  # its own check reports what is wrong with it
                    characters += len(text)
                    _note(self._words, set(_WORD.findall(text)), path)
                    _note(self._reached, {one or other for one, other in _REACHED.findall(text)}, path)
                if folders > _MOST_FOLDERS or characters > _MOST_CHARACTERS:
                    return False
        return True


def _files(root: str) -> Iterator[str | None]:
    """The Python files below a folder, and None for each folder on the way."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in _LEFT_OUT)
        yield None
        yield from (os.path.join(folder, each) for each in sorted(files) if each.endswith((".py", ".pyi", ".ipynb")))


def _note(where: dict[str, str | None], words: set[str], path: str) -> None:
    for word in words:
        where[word] = path if where.get(word, path) == path else None

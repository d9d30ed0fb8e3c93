"""What the findings of a file rest on in other files: their texts, where imports led, what was asked of all of them.

Whoever keeps findings for later runs asks whether all of it still holds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

Question: TypeAlias = tuple[str | int, ...]
"""What was asked of all files of the run: which question, and about what."""
Answer: TypeAlias = bool | tuple[tuple[str, int], ...] | None


def digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Grounds:
    texts: dict[str, str]
    """The digest of each file that was read for this one; empty if it could not be read."""
    imports: dict[tuple[str, str], str | None]
    """Where a module leads that is imported from a folder."""
    answers: dict[tuple[str, Question], Answer]
    """What was asked of all files of the run but the one named."""
    around: str = ""
    """The digest of all files of the run, if anything was asked of them."""


class Consulted:
    """What was asked for which file.

    Answers are shared: what one file learns about a helper is not asked again for the next one. So it is noted for the file whose text
    led to the question, and a file rests on whatever the files rest on that it leads to.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.around = ""
        self._imports: dict[str, dict[str, str | None]] = {}
        self._answers: dict[str, dict[Question, Answer]] = {}
        self._readings: dict[str, dict[str, None]] = {}

    def note_import(self, importer: str, module: str, found: str | None) -> None:
        self._imports.setdefault(importer, {})[module] = found

    def note_reading(self, path: str, other: str) -> None:
        """A file that leads to this one was read for it."""
        self._readings.setdefault(path, {})[other] = None

    def note_answer(self, path: str, question: Question, answer: Answer) -> None:
        self._answers.setdefault(path, {})[question] = answer

    def grounds(self, path: str) -> Grounds:
        reached = {path: None}
        imports: dict[tuple[str, str], str | None] = {}
        waiting = [path]
        while waiting:
            importer = waiting.pop()
            folder = os.path.dirname(importer)
            led_to = [each for each in self._readings.get(importer, {}) if each not in reached]
            reached.update(dict.fromkeys(led_to))
            waiting += led_to
            for module, found in self._imports.get(importer, {}).items():
                imports[folder, module] = found
                if found is not None and found not in reached:
                    reached[found] = None
                    waiting.append(found)
        answers = {(each, question): answer for each in reached for question, answer in self._answers.get(each, {}).items()}
        texts = {each: self.texts[each] for each in reached if each in self.texts}
        return Grounds(texts, imports, answers, self.around if answers else "")

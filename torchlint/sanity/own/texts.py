"""The user's files before and after their fixes: the real linter finds, the real fixer fixes, and nothing is written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from torchlint import engine
from torchlint.diagnostic import Diagnostic
from torchlint.edits import Applicability, Effect
from torchlint.fingerprint import fingerprints
from torchlint.program.project import Project
from torchlint.rule import load_rules
from torchlint.run.many import concerns
from torchlint.sanity.own.loading import Place, Served
from torchlint.sanity.own.signals import JUDGED
from torchlint.settings import Configuration, Settings
from torchlint.sources.reading import Undecodable, decode


class Fixer(Protocol):
    def __call__(self, text: str, settings: Settings, path: str, project: Project, level: Applicability, known: frozenset[str]) -> str: ...


def _fixed(text: str, settings: Settings, path: str, project: Project, level: Applicability, known: frozenset[str]) -> str:
    """What its fixes make of a text, but for the findings that are known."""
    return engine.fix(text, settings, path=path, project=project, applicability=level, known=known).text


@dataclass(frozen=True, slots=True)
class Found:
    """A finding in a file that the program has imported."""

    number: int
    path: str
    diagnostic: Diagnostic

    @property
    def row(self) -> int:
        return self.diagnostic.location.row

    def is_fixed_at(self, level: Applicability) -> bool:
        return self.diagnostic.fix is not None and self.diagnostic.fix.applicability >= level


class Sources:
    """What the program imported, as it was when it was imported."""

    def __init__(self, configuration: Configuration, root: Path, level: Applicability, fixer: Fixer = _fixed) -> None:
        self._configuration = configuration
        self._project = Project([root])
        self._level = level
        self._fixer = fixer
        self._texts: dict[str, str] = {}
        self._marks: dict[int, str] = {}
        """By the finding's number, its fingerprint."""
        self.found: list[Found] = []

    def serve(self, path: str) -> Served | None:
        """The file's text, and where its findings are; None for what torchlint cannot read and Python may."""
        try:
            data = Path(path).read_bytes()
            text = decode(data).text
        except (OSError, Undecodable):
            return None
        if path not in self._texts:
            self._texts[path] = text
            found = engine.lint(text, self._settings(path), path=path, project=self._project) if concerns(data) else []
            start = len(self.found)
            self.found += [Found(start + index, path, each) for index, each in enumerate(found)]
            self._marks |= dict(enumerate(fingerprints("", text, found), start))
        return Served(self._texts[path], [Place(each.number, each.row, self.is_asked(each)) for each in self.found if each.path == path])

    def is_asked(self, found: Found) -> bool:
        """Whether a run has something to say of a finding: of its fix, or of itself."""
        return found.is_fixed_at(self._level) or found.diagnostic.code in JUDGED

    def _settings(self, path: str) -> Settings:
        return self._configuration.settings(Path(path).absolute().parent)

    @property
    def originals(self) -> dict[str, str]:
        return dict(self._texts)

    @property
    def fixable(self) -> list[Found]:
        return [each for each in self.found if each.is_fixed_at(self._level)]

    def fixed(self, chosen: Collection[Found]) -> dict[str, str]:
        """All texts, with the fixes of these findings."""
        texts = self.originals
        for path in dict.fromkeys(each.path for each in chosen):
            settings = self._settings(path)
            here = [each for each in chosen if each.path == path]
            codes = {each.diagnostic.code for each in here}
            others = tuple(rule.code for rule in load_rules() if rule.code not in codes)
            limited = replace(settings, unfixable=(*settings.unfixable, *others))
            # What comes to light only when these are fixed is fixed as well.
            known = frozenset(self._marks[each.number] for each in self.found if each.path == path and each not in here)
            texts[path] = self._fixer(texts[path], limited, path, self._project, self._level, known)
        return texts

    def fixing(self, effect: Effect) -> list[Found]:
        """The findings that are to be fixed, and whose fixes have this effect."""
        return [each for each in self.fixable if each.diagnostic.fix is not None and each.diagnostic.fix.effect is effect]

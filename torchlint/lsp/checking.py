"""What is found in a document, and the settings that hold for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torchlint import baseline
from torchlint.diagnostic import Diagnostic, Location, Related
from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.lsp.documents import Document
from torchlint.program.project import Project
from torchlint.selection import SelectorError, validate
from torchlint.settings import Configuration, Settings, SettingsError
from torchlint.sources.discovery import is_left_out
from torchlint.sources.patterns import PatternError


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a part of a document."""

    part: int
    start: Location
    end: Location


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and where it is shown."""

    diagnostic: Diagnostic
    program: int | None
    """The program that its fixes are edits of."""
    span: Span
    related: tuple[tuple[Related, Span | None], ...] = ()
    """None for a place in another file."""

    @property
    def is_safely_fixed(self) -> bool:
        return self.diagnostic.fix is not None and self.diagnostic.fix.applicability is Applicability.SAFE


@dataclass(frozen=True, slots=True)
class Checked:
    """A document and what was found in it."""

    document: Document
    findings: tuple[Found, ...]


class Checker:
    """Checks documents as files of a workspace. What it read of other files and of configurations is kept until `forget`."""

    def __init__(self, roots: Iterable[Path] = (), configuration: Path | None = None) -> None:
        self._roots = tuple(roots)
        self._file = configuration
        self.forget()

    def forget(self) -> None:
        """Read configurations and other files of the project anew: something on the disk has changed."""
        self._configuration = Configuration(file=self._file)
        self._projects: dict[tuple[Path, ...], Project] = {}

    def check(self, document: Document) -> Checked:
        """Raises `SettingsError` for a configuration that cannot be used."""
        return Checked(document, tuple(self._found(document)))

    def _found(self, document: Document) -> Iterator[Found]:
        path = document.path
        settings = self._settings(document, path) if path is not None else None
        if path is None or settings is None:
            return
        known = _known(settings, path)
        for number, program in enumerate(document.programs):
            for each in lint(program, settings, path=str(path), project=self._project(path), known=known):
                yield _placed(document, number, each)
        for each, part, place in document.broken(settings):
            yield Found(each, None, Span(part, place, place))

    def fixed(self, document: Document) -> Sequence[str]:
        """Its programs with all safe fixes applied."""
        path = document.path
        settings = self._settings(document, path) if path is not None else None
        if path is None or settings is None:
            return document.programs
        known = _known(settings, path)
        return [
            fix(program, settings, path=str(path), project=self._project(path), applicability=Applicability.SAFE, known=known).text
            for program in document.programs
        ]

    def _settings(self, document: Document, path: Path) -> Settings | None:
        """None for a file that the configuration leaves out."""
        settings = self._configuration.settings(path.parent)
        try:
            validate(settings)
            return None if is_left_out(path, self._configuration) else document.settings(settings)
        except (SelectorError, PatternError) as error:
            raise SettingsError(str(error)) from error

    def _project(self, path: Path) -> Project:
        roots = (*self._roots, path.parent)
        if roots not in self._projects:
            self._projects[roots] = Project(roots)
        return self._projects[roots]


def _known(settings: Settings, path: Path) -> frozenset[str]:
    """What the baseline that the configuration names knows of this file."""
    if settings.baseline is None:
        return frozenset()
    file = settings.root / settings.baseline
    return baseline.read(file).get(baseline.key(file, path), frozenset())


def _placed(document: Document, program: int, found: Diagnostic) -> Found:
    related = tuple((each, _span(document, program, each) if each.path is None else None) for each in found.related)
    return Found(found, program, _span(document, program, found), related)


def _span(document: Document, program: int, found: Diagnostic | Related) -> Span:
    part, start = document.place(program, found.location)
    return Span(part, start, document.place(program, found.end_location)[1])

"""What was found in the newest text of each open document, and the settings that hold for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from torchlint.diagnostic import Diagnostic
from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.program.project import Project
from torchlint.run.many import concerns
from torchlint.selection import SelectorError, validate
from torchlint.settings import FILE_NAMES, Configuration, Settings, SettingsError
from torchlint.sources.discovery import is_excluded
from torchlint.sources.patterns import PatternError


@dataclass(frozen=True, slots=True)
class Checked:
    """A text and what was found in it."""

    text: str
    version: int | None
    findings: tuple[Diagnostic, ...]


class Checker:
    """Checks texts as files of a workspace. What it read of other files and of configurations is kept until `forget`."""

    def __init__(self, roots: Iterable[Path] = (), configuration: Path | None = None) -> None:
        self._roots = tuple(roots)
        self._file = configuration
        self.forget()

    def forget(self) -> None:
        """Read configurations and other files of the project anew: something on the disk has changed."""
        self._configuration = Configuration(file=self._file)
        self._projects: dict[tuple[Path, ...], Project] = {}

    def check(self, path: Path, text: str, version: int | None = None) -> Checked:
        """Raises `SettingsError` for a configuration that cannot be used."""
        settings = self._settings(path)
        if settings is None or not concerns(text.encode("utf-8", "surrogatepass")):
            return Checked(text, version, ())
        return Checked(text, version, tuple(lint(text, settings, path=str(path), project=self._project(path))))

    def fixed(self, path: Path, text: str) -> str:
        """The text with all safe fixes applied."""
        settings = self._settings(path)
        if settings is None or not concerns(text.encode("utf-8", "surrogatepass")):
            return text
        return fix(text, settings, path=str(path), project=self._project(path), applicability=Applicability.SAFE).text

    def _settings(self, path: Path) -> Settings | None:
        """None for a file that the configuration leaves out."""
        settings = self._configuration.settings(path.parent)
        try:
            validate(settings)
            return None if is_excluded(path, self._configuration) else settings
        except (SelectorError, PatternError) as error:
            raise SettingsError(str(error)) from error

    def _project(self, path: Path) -> Project:
        roots = (*self._roots, path.parent)
        if roots not in self._projects:
            self._projects[roots] = Project(roots)
        return self._projects[roots]


def is_configuration(path: Path) -> bool:
    return path.name in FILE_NAMES

"""Which versions of torch may run a place of the code: those that the project supports, without those that a check around it excludes."""

from __future__ import annotations

from torchlint.facts.declared import Version, version_of
from torchlint.facts.versions import Range, versions
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node


def supported(file: FileAnalysis, node: Node) -> Range:
    """The newest version alone where the project does not say which is its oldest."""
    settings = file.settings
    newest = _minor(settings.newest_torch) if settings.newest_torch is not None else versions()[-1]
    oldest = _minor(settings.torch_version) if settings.torch_version is not None else newest
    return Range(oldest, max(oldest, newest))


def _minor(version: str) -> Version:
    return version_of(".".join(version.split(".")[:2]))

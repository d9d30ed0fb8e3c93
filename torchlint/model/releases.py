"""Which versions of torch may run a place of the code: those that the project supports, without those that a check around it excludes."""

from __future__ import annotations

from torchlint.facts.declared import version_of
from torchlint.facts.versions import Range, versions
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node


def supported(file: FileAnalysis, node: Node) -> Range:
    """The newest version alone where the project does not say which is its oldest."""
    newest = versions()[-1]
    given = file.settings.torch_version
    return Range(version_of(".".join(given.split(".")[:2])) if given is not None else newest, newest)

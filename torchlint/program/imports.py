"""What a file may ask of the other files of its run; `torchlint.program.project` answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from torchlint.syntax.tree import Node
from torchlint.values.flow import Analysis
from torchlint.values.value import Value


class Imports(Protocol):
    def definition(self, importer: str, path: str, node: Node) -> Value | None:
        """What a dotted path, imported by the file `importer`, stands for where a file of the project defines it."""

    def origin(self, importer: str, path: str) -> str | None:
        """The dotted path of what a module of the project offers under this one, followed into a library; None where nothing does."""

    def offers(self, importer: str, module: str) -> bool:
        """Whether a module, imported by the file `importer`, is a file of the project."""

    def trains(self, importer: str, path: str) -> bool:
        """Whether an imported function or class runs backward itself."""

    def names_elsewhere(self, path: str, word: str) -> bool:
        """Whether a file of the run other than this one uses a word."""

    def writes_elsewhere(self, path: str, pattern: re.Pattern[str]) -> bool:
        """Whether something of this form stands in the text of a file of the run other than this one."""

    def found_elsewhere(self, path: str, pattern: re.Pattern[str]) -> tuple[tuple[str, int], ...] | None:
        """The files of the run other than this one in which something of this form stands, with its first line; None: too many to look."""

    def reaches_elsewhere(self, path: str, attribute: str, of: str) -> bool:
        """Whether a file of the run other than this one may ask an instance of the class `of` for this attribute."""

    def callers(self, path: str, name: str) -> Iterator[Analysis] | None:
        """The other files of the run that may call what is defined in this one under a name; None where too many do."""

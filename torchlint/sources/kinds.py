"""Which kind of source the bytes of a file are, by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from torchlint.sources.markdown import Markdown
from torchlint.sources.notebooks import Notebook
from torchlint.sources.reading import decode

NOTEBOOK, MARKDOWN = ".ipynb", ".md"


class Source(Protocol):
    """A text together with what is needed to turn it into bytes again."""

    @property
    def text(self) -> str:
        """What is checked."""

    @property
    def encoding(self) -> str: ...

    def encode(self, text: str) -> bytes:
        """Raises `ValueError` for a text that this source cannot become."""


def read(data: bytes, path: Path) -> Source:
    """Raises `Undecodable` for bytes that are not what the name says. Whatever has another name is taken for Python."""
    kind = path.suffix.lower()
    return Notebook(data) if kind == NOTEBOOK else Markdown(data) if kind == MARKDOWN else decode(data)

"""Which kind of source the bytes of a file are, by its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeGuard

from torchlint.sources.reading import decode

if TYPE_CHECKING:
    from torchlint.sources.markdown import Markdown
    from torchlint.sources.notebooks import Notebook

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
    # What reads the others is imported for them alone: it needs a parser, and a run whose findings are known gets by without one.
    if kind == NOTEBOOK:
        from torchlint.sources.notebooks import Notebook

        return Notebook(data)
    if kind == MARKDOWN:
        from torchlint.sources.markdown import Markdown

        return Markdown(data)
    return decode(data)


def is_notebook(source: Source) -> TypeGuard[Notebook]:
    from torchlint.sources.notebooks import Notebook

    return isinstance(source, Notebook)


def is_markdown(source: Source) -> TypeGuard[Markdown]:
    from torchlint.sources.markdown import Markdown

    return isinstance(source, Markdown)

"""What an editor holds open, as the programs that are checked: a file is one, a notebook with all its cells is one, a document has several.

A document is as it was at one moment; the next key makes another one of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torchlint.diagnostic import Diagnostic, Location
from torchlint.run.many import concerns
from torchlint.run.one import broken_cells, for_blocks, is_judged
from torchlint.settings import Settings
from torchlint.sources import markdown
from torchlint.sources.joined import Joined
from torchlint.sources.kinds import MARKDOWN, NOTEBOOK

State = tuple[tuple[str, int | None], ...]
"""Which texts a document has, and in which versions."""


@dataclass(frozen=True, slots=True)
class Part:
    """What the protocol calls a text document: a whole file, or a cell of a notebook."""

    uri: str
    version: int | None
    text: str


class Document:
    """One without programs, until a kind of it says which there are."""

    def __init__(self, uri: str, path: Path | None, parts: Iterable[Part]) -> None:
        self.uri = uri
        self.path = path
        """None for one that no file stands for, such as one that was never saved."""
        self.parts = tuple(parts)

    @property
    def state(self) -> State:
        """Another one after every change."""
        return tuple((part.uri, part.version) for part in self.parts)

    @cached_property
    def programs(self) -> Sequence[str]:
        """The texts that are checked, each by itself."""
        return ()

    def settings(self, settings: Settings) -> Settings:
        """What holds for its programs."""
        return settings

    def place(self, program: int, location: Location) -> tuple[int, Location]:
        """The part in which a place of a program is shown, and where in it."""
        raise NotImplementedError

    def texts(self, programs: Sequence[str]) -> Sequence[str]:
        """The parts with changed programs in them. Raises `ValueError` for programs that cannot be put there."""
        raise NotImplementedError

    def broken(self, settings: Settings) -> Iterator[tuple[Diagnostic, int, Location]]:
        """What is said of parts that are no program, and where."""
        yield from ()


class File(Document):
    @cached_property
    def programs(self) -> Sequence[str]:
        (part,) = self.parts
        return (part.text,) if _concerns(part.text) else ()

    def place(self, program: int, location: Location) -> tuple[int, Location]:
        return 0, location

    def texts(self, programs: Sequence[str]) -> Sequence[str]:
        return programs


class Markdown(Document):
    @cached_property
    def _document(self) -> markdown.Document:
        (part,) = self.parts
        return markdown.Document(part.text)

    @cached_property
    def _judged(self) -> list[int]:
        return [number for number, block in enumerate(self._document.blocks) if is_judged(block)]

    @cached_property
    def programs(self) -> Sequence[str]:
        return [self._document.blocks[number].code for number in self._judged]

    def settings(self, settings: Settings) -> Settings:
        return for_blocks(settings)

    def place(self, program: int, location: Location) -> tuple[int, Location]:
        return 0, self._document.blocks[self._judged[program]].location(location)

    def texts(self, programs: Sequence[str]) -> Sequence[str]:
        codes = [block.code for block in self._document.blocks]
        for number, program in zip(self._judged, programs, strict=True):
            codes[number] = program
        return (self._document.with_codes(codes).text,)


class Notebook(Document):
    @cached_property
    def _joined(self) -> Joined:
        return Joined(part.text for part in self.parts)

    @cached_property
    def programs(self) -> Sequence[str]:
        return (self._joined.text,) if any(_concerns(part.text) for part in self.parts) else ()

    def place(self, program: int, location: Location) -> tuple[int, Location]:
        return self._in_cell(self._joined.location(location))

    def texts(self, programs: Sequence[str]) -> Sequence[str]:
        (text,) = programs
        return self._joined.sources(text)

    def broken(self, settings: Settings) -> Iterator[tuple[Diagnostic, int, Location]]:
        if self.path is not None and self.programs:
            for each in broken_cells(self._joined, self.path, settings):
                yield each, *self._in_cell(each.location)

    def _in_cell(self, location: Location) -> tuple[int, Location]:
        number = bisect_right(self._joined.firsts, location.row) - 1
        return number, Location(location.row - self._joined.firsts[number] + 1, location.column)


def text_document(part: Part, path: Path | None, language: str | None) -> Document:
    """What is opened as one text. The JSON of a notebook is nobody's program; its cells come as a notebook's."""
    suffix = path.suffix.lower() if path is not None else ""
    if path is None or suffix == NOTEBOOK:
        return Document(part.uri, path, [part])
    if suffix == MARKDOWN or language == "markdown":
        return Markdown(part.uri, path, [part])
    return File(part.uri, path, [part])


def _concerns(text: str) -> bool:
    return concerns(text.encode("utf-8", "surrogatepass"))

"""The tables that PyTorch's own declarations were written into: text of sections, read when it is asked for and never as a whole.

`names.txt`, `signatures.txt`, `operators.txt` and `holdings.txt` are generated (CONTRIBUTING.md says how); their first line
says from which wheels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Version = tuple[int, int]


@dataclass(frozen=True)
class Presence:
    """The versions that have a name, as runs of the first and the last: None where the table begins or ends."""

    runs: tuple[tuple[Version | None, Version | None], ...] = ((None, None),)

    @property
    def first(self) -> Version | None:
        """The first version that has it; None where it is older than the table."""
        return self.runs[0][0]

    @property
    def last(self) -> Version | None:
        """The last version that has it; None where the newest known does."""
        return self.runs[-1][1]

    def __contains__(self, version: Version) -> bool:
        return any((first is None or first <= version) and (last is None or version <= last) for first, last in self.runs)


ALWAYS = Presence()


def presence_of(spans: str) -> Presence:
    """`2.1-` is from 2.1 on, `-2.3` up to 2.3, `2.1-2.3,2.5-` has a gap; nothing is always."""
    if not spans:
        return ALWAYS
    runs = []
    for span in spans.split(","):
        first, dash, last = span.partition("-")
        start = version_of(first) if first else None
        runs.append((start, (version_of(last) if last else None) if dash else start))
    return Presence(tuple(runs))


def version_of(text: str) -> Version:
    major, minor = text.split(".")
    return int(major), int(minor)


class Table:
    """One file of sections. Finding a section or a line is a search in the text, so nothing is built that is not asked for."""

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def versions(self) -> tuple[str, ...]:
        """The minor versions of torch that were read, oldest first."""
        mark = "# versions: "
        start = self._text.index(mark) + len(mark)
        return tuple(self._text[start : self._text.index("\n", start)].split())

    def section(self, name: str) -> tuple[str, str] | None:
        """What stands behind the bracket of a section, and its lines."""
        mark = f"\n[{name}]"
        start = self._text.find(mark)
        if start < 0:
            return None
        first = self._text.find("\n", start + 1)
        end = self._text.find("\n[", start + 1)
        return self._text[start + len(mark) : first], self._text[first + 1 : end + 1 if end >= 0 else None]

    def sections(self) -> Iterator[str]:
        start = self._text.find("\n[")
        while start >= 0:
            yield self._text[start + 2 : self._text.index("]", start)]
            start = self._text.find("\n[", start + 1)


@cache
def table(name: str) -> Table:
    return Table(Path(__file__).with_name(name).read_text(encoding="utf-8"))

"""The tables that PyTorch's own declarations were written into: text of sections, read when it is asked for and never as a whole.

`names.txt`, `signatures.txt`, `operators.txt` and `holdings.txt` are generated (CONTRIBUTING.md says how); their first line
says from which wheels.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

Version = tuple[int, int]
_SECTION = re.compile(r"\n\[([^\]\n]+)\]")


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
    """One file of sections. What stands in one is read off the text when it is asked for."""

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
        start = self._starts.get(name)
        if start is None:
            return None
        first = self._text.find("\n", start + 1)
        end = self._text.find("\n[", start + 1)
        return self._text[start + len(f"\n[{name}]") : first], self._text[first + 1 : end + 1 if end >= 0 else None]

    def sections(self) -> Iterator[str]:
        return iter(self._starts)

    @cached_property
    def _starts(self) -> dict[str, int]:
        """Where each section begins: names that have none are asked for most, and would be searched for in all of the text."""
        return {match[1]: match.start() for match in _SECTION.finditer(self._text)}


@cache
def table(name: str) -> Table:
    return Table(Path(__file__).with_name(name).read_text(encoding="utf-8"))

"""The plain tables that are kept in git: a header, tab-separated fields, sorted rows, so that a diff shows what changed and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path


class TableError(ValueError):
    """A table that cannot be used; the message says where and why."""


def read(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each row's place, for messages, and its fields; nothing if there is no such file."""
    if not file.exists():
        return
    header, *rows = file.read_text(encoding="utf-8").splitlines() or [""]
    if header.split("\t") != list(columns):
        raise TableError(f"{file}:1: the columns are not {', '.join(columns)}")
    for number, row in enumerate(rows, 2):
        fields = row.split("\t")
        if len(fields) != len(columns):
            raise TableError(f"{file}:{number}: {len(fields)} fields, not {len(columns)}")
        yield f"{file}:{number}", fields


def write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    lines = ["\t".join(map(str, fields)) for fields in (columns, *rows)]
    for line in lines:
        if line.count("\t") != len(columns) - 1 or not line.replace("\t", " ").isprintable():
            raise TableError(f"{file}: a field contains a tab, a line break or a control character: {line!r}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")

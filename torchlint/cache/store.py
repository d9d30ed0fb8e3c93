"""The file that findings are kept in: an SQLite database in a folder of its own, one for each torchlint that was used there.

Several runs may read and write it at once, and one that is killed leaves it whole. Whatever is wrong with it is no reason to fail: it is
passed over if it is locked or cannot be written, and begun anew if it cannot be read. Nothing in it is trusted; rows bear a seal against
accidents.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from torchlint.cache.identity import torchlint_itself
from torchlint.program.grounds import digest

_SUFFIX = ".db"
_TAG = "CACHEDIR.TAG"
_MARKS = {".gitignore": "*\n", _TAG: "Signature: 8a477f597d28d172789f06886806bc55\n# This folder holds what torchlint found before.\n"}
_PATIENCE = 1.0
"""Seconds to wait for another run that is writing."""
_OTHERS = 2
"""How many databases of other versions are left in peace."""
_CHUNK = 500
"""How many parameters a statement may have anywhere, and from where on reading everything is quicker."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS contents(path TEXT PRIMARY KEY, signature TEXT, digest TEXT, concerns INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts(id INTEGER PRIMARY KEY, fact TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS entries(path TEXT, key TEXT, text TEXT, facts TEXT, asked TEXT, around TEXT, findings TEXT, seal TEXT,
    PRIMARY KEY(path, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings(key TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Entry(NamedTuple):
    path: str
    key: str
    """What the run was told."""
    text: str
    """The digest of the file."""
    facts: str
    """The numbers of what the findings rest on, as a JSON list."""
    asked: str
    """The same of what was asked of all files of the run; it need not be asked again while `around` is the same."""
    around: str
    findings: str

    @property
    def seal(self) -> str:
        return digest("\0".join(self).encode("utf-8", "surrogatepass"))


class Store:
    """A database that is opened for each reading and each writing: processes are forked in between."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problem: str | None = None
        """Why nothing is read or kept."""

    @property
    def _file(self) -> Path:
        return self.folder / (torchlint_itself() + _SUFFIX)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file, timeout=_PATIENCE, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Pass over whatever goes wrong with the database, and do away with one that is none."""
        try:
            yield
        except (sqlite3.Error, OSError, ValueError, TypeError) as error:
            self.problem = f"{self.folder}: {getattr(error, 'strerror', None) or error}"
            if isinstance(error, OSError) or any(word in str(error) for word in ("locked", "readonly", "unable to open", "full")):
                return
            self.problem += "; begun anew"
            remove(self._file)

    def contents(self) -> dict[str, tuple[str, str, bool]]:
        """Signature, digest and whether it is worth parsing, of every file that was looked at."""
        found: dict[str, tuple[str, str, bool]] = {}
        with self._forgiving():
            if self._file.exists():
                with self._connected() as connection:
                    rows = connection.execute("SELECT path, signature, digest, concerns FROM contents")
                    found = {path: (signature, value, bool(concerns)) for path, signature, value, concerns in rows}
        return found

    def entries(self, paths: Sequence[str]) -> list[Entry]:
        found: list[Entry] = []
        with self._forgiving():
            if self._file.exists():
                with self._connected() as connection:
                    rows = _selected(connection, "path, key, text, facts, asked, around, findings, seal FROM entries", "path", paths)
                    found = [
                        entry
                        for *columns, seal in rows
                        if all(isinstance(each, str) for each in columns) and (entry := Entry(*columns)).seal == seal
                    ]
        return found

    def facts(self, numbers: Sequence[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        with self._forgiving(), self._connected() as connection:
            found = dict(_selected(connection, "id, fact FROM facts", "id", numbers))
        return found

    def has_settings(self, key: str) -> bool:
        found = False
        with self._forgiving():
            if self._file.exists():
                with self._connected() as connection:
                    found = connection.execute("SELECT 1 FROM settings WHERE key = ?", (key,)).fetchone() is not None
        return found

    def write(self, what: Callable[[Writer], None]) -> None:
        """All or nothing of it."""
        with self._forgiving():
            self._prepare()
            with self._connected() as connection:
                connection.executescript(_SCHEMA)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    what(Writer(connection))
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")

    def _prepare(self) -> None:
        """The folder, marked as one that neither git nor backups need look at, unless it was there before us."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not any(self.folder.iterdir()):
            try:
                for name, text in _MARKS.items():
                    (self.folder / name).write_text(text, encoding="utf-8")
            except OSError:
                for name in _MARKS:  # half a mark would stay one: a folder that holds anything is taken as it is
                    (self.folder / name).unlink(missing_ok=True)
                raise
        if not self._file.exists():
            others = sorted(self.folder.glob(f"*{_SUFFIX}"), key=lambda each: each.stat().st_mtime, reverse=True)
            for each in others[_OTHERS:]:
                remove(each)


class Writer:
    """One transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {fact: number for number, fact in connection.execute("SELECT id, fact FROM facts")}

    def number(self, fact: str) -> int:
        known = self._numbers.get(fact)
        if known is None:
            known = self._numbers[fact] = self._connection.execute("INSERT INTO facts(fact) VALUES (?)", (fact,)).lastrowid or 0
        return known

    def contents(self, fresh: dict[str, tuple[str, str, bool]]) -> None:
        rows = ((path, *each) for path, each in fresh.items() if _is_plain(path))
        self._connection.executemany("INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?)", rows)

    def entry(self, entry: Entry) -> None:
        """Keep what was found in a file, and let go of what was found in other texts of it."""
        if _is_plain(entry.path):
            self._connection.execute("DELETE FROM entries WHERE path = ? AND text <> ?", (entry.path, entry.text))
            self._connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*entry, entry.seal))

    def settings(self, keys: Iterable[str]) -> None:
        self._connection.executemany("INSERT OR IGNORE INTO settings VALUES (?)", ((each,) for each in keys))

    def paths(self) -> list[str]:
        return [path for (path,) in self._connection.execute("SELECT path FROM contents UNION SELECT path FROM entries")]

    def drop(self, paths: Iterable[str]) -> None:
        """Let go of files that are gone."""
        gone = [(path,) for path in paths]
        self._connection.executemany("DELETE FROM contents WHERE path = ?", gone)
        self._connection.executemany("DELETE FROM entries WHERE path = ?", gone)

    def shed(self, used: set[int]) -> None:
        """Let go of facts that nothing rests on any more."""
        spare = [(number,) for number in self._numbers.values() if number not in used]
        self._connection.executemany("DELETE FROM facts WHERE id = ?", spare)

    def grounds(self) -> Iterator[str]:
        for facts, asked in self._connection.execute("SELECT facts, asked FROM entries"):
            yield facts
            yield asked

    @property
    def has_grown(self) -> bool:
        """Whether there are more facts by now than entries are likely to need."""
        (entries,) = self._connection.execute("SELECT count(*) FROM entries").fetchone()
        return len(self._numbers) > 1_000 + 20 * int(entries)


def remove(file: Path) -> None:
    """A database, and what SQLite left beside it."""
    for each in (file, *(file.with_name(file.name + end) for end in ("-journal", "-wal", "-shm"))):
        try:
            each.unlink(missing_ok=True)
        except OSError:
            return  # whoever may not remove it may not be served by it either; the next writing says so


def clean(folder: Path) -> bool:
    """Remove what torchlint keeps in a folder, and the folder if nothing else is in it. Whether there was anything."""
    files = [*folder.glob(f"*{_SUFFIX}"), *folder.glob(f"*{_SUFFIX}-journal")]
    marks = [folder / name for name, text in _MARKS.items() if _holds(folder / name, text)]
    if not files and not marks:
        return False
    for each in (*files, *marks):
        each.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return True


def _holds(file: Path, text: str) -> bool:
    return file.is_file() and file.stat().st_size == len(text) and file.read_text(encoding="utf-8", errors="replace") == text


def _selected(connection: sqlite3.Connection, what: str, column: str, wanted: Sequence[str] | Sequence[int]) -> Iterator[tuple[Any, ...]]:
    if len(wanted) > _CHUNK:
        every = set(wanted)
        position = 0
        yield from (row for row in connection.execute(f"SELECT {what}") if row[position] in every)
        return
    marks = ",".join("?" * len(wanted))
    yield from connection.execute(f"SELECT {what} WHERE {column} IN ({marks})", tuple(wanted))


def _is_plain(path: str) -> bool:
    """Whether a path is Unicode, as SQLite wants its texts."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True

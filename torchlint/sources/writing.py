"""How a changed text replaces a file: all of it or nothing, whatever interrupts it, and never over somebody else's change."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from torchlint.sources.kinds import Source

SUFFIX = ".torchlint"
"""Ends the name of the file that is written beside `a.py`: `.a.py.torchlint`."""
OLD = ".torchlint-old"
"""Ends the name of the file that holds the old text while a file with several names is written in place."""
_BUSY = "another process is changing it"
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

fcntl: Any = importlib.import_module("fcntl") if os.name == "posix" else None


class NotWritten(Exception):
    """The file was left as it is; the message says why."""


class HalfWritten(NotWritten):
    """The file has neither its old text nor its new one; both lie beside it, and `finish` can write it to the end."""


def write(path: Path, source: Source, text: str, original: bytes) -> None:
    """Replace the file, which held `original` when it was read as `source`, by `text`.

    The new content is written beside the file, given its mode and owner, and renamed over it. A symbolic link stays one:
    the file that it leads to is replaced. A file with several names (hard links) is written in place, so that it keeps them.
    """
    if source.encode(source.text) != original:
        raise NotWritten(f"its encoding ({source.encoding}) does not give the same bytes back")
    try:
        data = source.encode(text)
    except UnicodeEncodeError as error:
        raise NotWritten(f"its encoding ({source.encoding}) cannot hold {error.object[error.start : error.end]!r}") from error
    except ValueError as error:
        raise NotWritten(str(error)) from error
    try:
        _replace(path.resolve(strict=True), data, original)
    except OSError as error:
        raise NotWritten(error.strerror or str(error)) from error


def finish(path: Path) -> None:
    """Finish what a process that was killed had begun: a file with several names may be written by half, with both texts beside it.

    One that holds anything else by now was changed by somebody, and stays as it is. Raises `NotWritten`.
    """
    file = Path(os.path.realpath(path))
    old, new = _hidden(file, OLD), _hidden(file, SUFFIX)
    if not old.is_file():
        return
    try:
        with new.open("rb") as stream:
            if not _locked(stream):
                raise NotWritten(_BUSY)
            data, original, now = stream.read(), old.read_bytes(), file.read_bytes()
            back = _alike(now, original, 0)
            if now not in (data, original) and now[(done := _alike(now, data, back)) :] == original[done:]:
                with file.open("r+b", buffering=0) as half:
                    _fill(half, data)
        old.unlink()
        new.unlink()
    except FileNotFoundError:
        return  # it is done by now, or there is nothing to finish it with
    except OSError as error:
        raise NotWritten(error.strerror or str(error)) from error


def _alike(one: bytes, other: bytes, start: int) -> int:
    """Where two contents begin to differ, from a place on."""
    most = min(len(one), len(other))
    return next((place for place in range(start, most) if one[place] != other[place]), max(start, most))


def save(path: Path, data: bytes) -> None:
    """Put a file of torchlint's own in its place: a whole one, or what was there stays. Raises `NotWritten`.

    A device or a pipe is written to, and so is a file with several names, or in a folder that takes no new one.
    """
    try:
        file = Path(os.path.realpath(path))
        if not file.exists():
            _make(file, data)
        elif file.is_file() and file.stat().st_nlink == 1 and os.access(file, os.W_OK) and os.access(file.parent, os.W_OK):
            _put(file, data)
        else:
            path.write_bytes(data)
    except OSError as error:
        raise NotWritten(error.strerror or str(error)) from error


def _make(path: Path, data: bytes) -> None:
    """A file that is not there yet; nothing of it where not all of it can be written."""
    with path.open("xb") as stream:
        try:
            stream.write(data)
            stream.flush()
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _replace(path: Path, data: bytes, original: bytes) -> None:
    finish(path)
    if not os.access(path, os.W_OK):
        raise NotWritten("it is read-only")
    _put(path, data, original)


def _put(path: Path, data: bytes, original: bytes | None = None) -> None:
    """The new content, complete, in the place of the old one; only if that is still the `original`, where there is one."""
    status = path.stat()
    with _beside(path) as (beside, stream):
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
        if original is not None and path.read_bytes() != original:
            raise NotWritten("it changed while it was checked")
        if original is not None and status.st_nlink > 1:
            _overwrite(path, data, original)
            return
        beside.chmod(stat.S_IMODE(status.st_mode))
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):  # only root may give files away
                os.chown(beside, status.st_uid, status.st_gid)
        if os.name == "nt":
            stream.close()  # what is open cannot be renamed there
        beside.replace(path)


def _overwrite(path: Path, data: bytes, original: bytes) -> None:
    """Write into the file itself: it has other names, which a new file would not have.

    Both contents lie beside it, complete, until this is done: whoever comes after a process that was killed can finish it. An
    interrupt puts the old one back.
    """
    old = _hidden(path, OLD)
    old.unlink(missing_ok=True)
    with path.open("r+b", buffering=0) as file:
        try:
            with open(os.open(old, _NEW, 0o600), "wb") as stream:
                stream.write(original)
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            old.unlink(missing_ok=True)
            raise
        try:
            _fill(file, data)
        except BaseException:
            _restore(file, original)
            old.unlink()
            raise
    old.unlink()


def _restore(file: io.FileIO, original: bytes) -> None:
    try:
        _fill(file, original)
    except OSError as error:
        raise HalfWritten(error.strerror or str(error)) from error


def _fill(stream: io.FileIO, data: bytes) -> None:
    stream.seek(0)
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]
    stream.truncate()
    os.fsync(stream.fileno())


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file beside another, always of the same name, and gone in the end whatever happens.

    It is locked while it is in use. One that is not was left by a process that was killed, and makes room.
    """
    beside = _hidden(path, SUFFIX)
    for _ in range(2):
        try:
            descriptor = os.open(beside, _NEW, 0o600)
            break
        except FileExistsError:
            _remove_leftover(beside)
        except OSError as error:
            raise NotWritten(f"no file can be made beside it: {error.strerror}") from error
    else:
        raise NotWritten(_BUSY)
    with open(descriptor, "wb") as stream:
        if not _locked(stream) or not os.path.samestat(os.fstat(descriptor), beside.stat()):
            raise NotWritten(_BUSY)  # taken for a leftover before it was locked: the name is another process's now
        try:
            yield beside, stream
        finally:
            if os.name == "nt":
                stream.close()
            if not _hidden(path, OLD).exists():  # else the file is written by half, and whoever finishes it needs both texts
                beside.unlink(missing_ok=True)


def _hidden(path: Path, end: str) -> Path:
    return path.with_name(f".{path.name}{end}")


def _remove_leftover(beside: Path) -> None:
    with contextlib.suppress(FileNotFoundError), beside.open("rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode) or not _locked(stream):
            raise NotWritten(_BUSY)
        if os.name == "nt":
            stream.close()
        beside.unlink()


def _locked(stream: BinaryIO) -> bool:
    """Whether the lock on the file is ours now. Where there are no such locks, a file that is in use cannot be removed either."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks
    return True

"""Killed, or in trouble, at every line of what writes: a file has its old text or its new one, and the next run is not hindered."""

import errno
import io
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from torchlint.sources import writing
from torchlint.sources.reading import decode
from torchlint.sources.writing import HalfWritten, NotWritten, finish, write

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked to be killed")
MOST = 200
"""Lines that writing may take. It takes far fewer; if not, something is wrong with the count."""
OLD, LONGER, SHORTER = b"a = 1\nb = 2\n" * 40, b"long = 1\nb = 2\n" * 40, b"b = 2\n" * 40


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes die here, and not the machine: nobody waits for the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def at_line(number: int, act: Callable[[], None]) -> Callable[[FrameType, str, Any], Any]:
    """Acts before the line of that number, among those that are run of the module that writes, once it has begun to look at files."""
    lines = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != writing.__file__ or frame.f_code is write.__code__:
            return None
        if event == "line":
            lines += 1
            if lines == number:
                act()
        return trace

    return trace


def written(path: Path, before: bytes, after: bytes) -> None:
    write(path, decode(before), after.decode(), before)


def killed_at(number: int, path: Path, before: bytes, after: bytes) -> bool:
    """Whether a process that writes the file comes to that line, and dies there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are threads, which the child does not need
        child = os.fork()
    if child == 0:
        try:
            sys.settrace(at_line(number, lambda: os.kill(os.getpid(), signal.SIGKILL)))
            written(path, before, after)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("after", [LONGER, SHORTER], ids=["longer", "shorter"])
@pytest.mark.parametrize("kind", ["file", "link", "two names"])
def test_a_kill_at_any_line_leaves_the_old_text_or_the_new_and_hinders_nobody(tmp_path: Path, kind: str, after: bytes) -> None:
    real = tmp_path / "a.py"
    path = real if kind == "file" else tmp_path / "link.py"
    real.write_bytes(OLD)
    if kind == "link":
        path.symlink_to(real)
    elif kind == "two names":
        os.link(real, path)
    seen = set()
    for number in range(1, MOST):
        real.write_bytes(OLD)
        was_killed = killed_at(number, path, OLD, after)
        finish(path)  # what the next run begins with
        now = real.read_bytes()
        seen.add(now)
        assert now in (OLD, after), f"killed at line {number}"
        written(path, now, LONGER + b"c = 3\n")  # the next run
        assert real.read_bytes() == LONGER + b"c = 3\n"
        assert {each.name for each in tmp_path.iterdir()} == {real.name, path.name}
        if not was_killed:
            break

    assert (was_killed, seen, path.is_symlink()) == (False, {OLD, after}, kind == "link")
    assert number > 20


@pytest.mark.parametrize("names", [1, 2], ids=["one name", "two names"])
@pytest.mark.parametrize("trouble", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_trouble_at_any_line_is_said_and_leaves_the_old_text_or_the_new(tmp_path: Path, trouble: int, names: int) -> None:
    """Whatever call it comes from: a disk that is full, broken or read-only by now."""
    path = tmp_path / "a.py"
    path.write_bytes(OLD)
    if names > 1:
        os.link(path, tmp_path / "b.py")
    number, said = 0, ""

    def fail() -> None:
        raise OSError(trouble, os.strerror(trouble))

    while number < MOST:
        number += 1
        path.write_bytes(OLD)
        said = ""
        before = sys.gettrace()
        sys.settrace(at_line(number, fail))
        try:
            written(path, OLD, LONGER)
        except NotWritten as error:
            said = str(error)
        finally:
            sys.settrace(before)
        assert path.read_bytes() in ((OLD, LONGER) if said else (LONGER,)), f"trouble at line {number}"
        assert said in ("", os.strerror(trouble), f"no file can be made beside it: {os.strerror(trouble)}")
        if not said and number > 20:
            break
    assert number < MOST


@pytest.mark.parametrize("names", [1, 2], ids=["one name", "two names"])
@pytest.mark.parametrize("room", [0, 7, len(OLD), len(OLD) + 7, len(OLD) + len(LONGER) - 1])
def test_a_disk_that_fills_up_leaves_the_old_text_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, names: int
) -> None:
    """Of the new text, or of the copy of the old one, there is room for some bytes only."""
    path = tmp_path / "a.py"
    path.write_bytes(OLD)
    if names > 1:
        os.link(path, tmp_path / "b.py")
    left = [room]

    def fill(descriptor: int) -> None:
        left[0] -= os.fstat(descriptor).st_size
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fill)
    fits = room >= len(LONGER) and names == 1
    if fits:
        written(path, OLD, LONGER)
    else:
        with pytest.raises(NotWritten, match="No space left on device"):
            written(path, OLD, LONGER)

    assert path.read_bytes() == (LONGER if fits else OLD)
    assert {each.name for each in tmp_path.iterdir()} == {"a.py", "b.py"} - ({"b.py"} if names == 1 else set())


@pytest.mark.parametrize("forward", [0, 3, 7, len(SHORTER), len(OLD)])
@pytest.mark.parametrize("back", [0, 3, 5, len(SHORTER)])
@pytest.mark.parametrize("after", [LONGER, SHORTER], ids=["longer", "shorter"])
def test_a_file_that_can_be_neither_written_nor_restored_is_finished_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forward: int, back: int, after: bytes
) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(OLD)
    os.link(path, tmp_path / "b.py")
    ends = [forward, back]

    def breaks(stream: io.FileIO, data: bytes) -> None:
        stream.seek(0)
        stream.write(data[: ends.pop(0)])
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(writing, "_fill", breaks)
        with pytest.raises(HalfWritten, match="Input/output error"):
            written(path, OLD, after)
    half = path.read_bytes()
    finish(path)

    assert path.read_bytes() == (OLD if half == OLD else after)
    assert {each.name for each in tmp_path.iterdir()} == {"a.py", "b.py"}


@pytest.mark.parametrize("half", [LONGER[:7] + OLD[7:], LONGER[:7], b"", OLD + LONGER], ids=["half", "cut", "empty", "another"])
def test_a_file_that_was_written_by_half_is_finished_and_one_that_somebody_changed_is_not(tmp_path: Path, half: bytes) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(half)
    (tmp_path / ".a.py.torchlint").write_bytes(LONGER)
    (tmp_path / ".a.py.torchlint-old").write_bytes(OLD)
    finish(path)

    assert path.read_bytes() == (LONGER if half == LONGER[:7] + OLD[7:] else half)
    assert [each.name for each in tmp_path.iterdir()] == ["a.py"]


def test_a_file_that_another_process_is_writing_is_not_finished_by_this_one(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(LONGER[:7] + OLD[7:])
    (tmp_path / ".a.py.torchlint-old").write_bytes(OLD)
    with writing._beside(path), pytest.raises(NotWritten, match="another process is changing it"):
        finish(path)

    assert path.read_bytes() == LONGER[:7] + OLD[7:]

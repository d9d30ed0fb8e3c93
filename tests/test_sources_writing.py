"""How a changed text replaces a file: all of it or nothing."""

import errno
import io
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cli_cases import environment

from torchlint.sources import writing
from torchlint.sources.reading import decode
from torchlint.sources.writing import NotWritten, save, write


def rewrite(path: Path, before: str, after: str) -> None:
    original = path.read_bytes()
    source = decode(original)
    write(path, source, source.text.replace(before, after), original)


def test_encoding_mark_and_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    for data in (b"\xef\xbb\xbfa = 1\r\nb = 2\rc\n", "# coding: latin-1\na = 'é'\n".encode("latin-1"), b"\x0ca = 1"):
        path.write_bytes(data)
        rewrite(path, "a =", "long =")

        assert path.read_bytes() == data.replace(b"a =", b"long =")


def test_mode_stays_as_it_is_and_nothing_is_left_beside(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("a\n", encoding="utf-8")
    path.chmod(0o751)
    rewrite(path, "a", "b")

    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    assert [each.name for each in tmp_path.iterdir()] == ["a.py"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text("a\n", encoding="utf-8")
    link = tmp_path / "link.py"
    link.symlink_to("real.py")
    rewrite(link, "a", "b")

    assert link.is_symlink()
    assert (tmp_path / "real.py").read_text(encoding="utf-8") == "b\n"


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"theirs\n")

    with pytest.raises(NotWritten, match="it changed while it was checked"):
        write(path, decode(b"a\n"), "b\n", b"a\n")
    assert path.read_bytes() == b"theirs\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.py"]


def test_a_file_that_is_gone_stays_gone(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="No such file"):
        write(tmp_path / "a.py", decode(b"a\n"), "b\n", b"a\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, MemoryError, OSError])
def test_whatever_interrupts_leaves_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupt: type[BaseException]) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a\n")

    def fail(descriptor: int) -> None:
        raise interrupt

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((interrupt, NotWritten)):
        rewrite(path, "a", "b")
    assert path.read_bytes() == b"a\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.py"]


def test_a_read_only_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a\n")
    monkeypatch.setattr(writing.os, "access", lambda path, mode: False)  # the suite may run as root, who may write anything

    with pytest.raises(NotWritten, match="it is read-only"):
        rewrite(path, "a", "b")
    assert path.read_bytes() == b"a\n"


def test_what_the_encoding_cannot_hold_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"# coding: latin-1\na\n")

    with pytest.raises(NotWritten, match="cannot hold 'ж'"):
        rewrite(path, "a\n", "ж\n")
    assert path.read_bytes() == b"# coding: latin-1\na\n"


def test_bytes_that_do_not_survive_decoding_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"# coding: utf-7\na = '+AGE-'\n")

    with pytest.raises(NotWritten, match="does not give the same bytes back"):
        rewrite(path, "a =", "b =")


def test_all_names_of_a_file_lead_to_the_new_text(tmp_path: Path) -> None:
    path, other = tmp_path / "a.py", tmp_path / "b.py"
    path.write_bytes(b"long = 1\n" * 3)
    path.chmod(0o640)
    os.link(path, other)
    rewrite(path, "long", "a")

    assert os.path.samefile(path, other)
    assert other.read_bytes() == b"a = 1\n" * 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.py", "b.py"]


def test_an_interrupt_while_writing_in_place_puts_the_old_text_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = tmp_path / "a.py", tmp_path / "b.py"
    path.write_bytes(b"a = 1\n")
    os.link(path, other)
    fill, calls = writing._fill, []

    def interrupted(stream: io.FileIO, data: bytes) -> None:
        calls.append(data)
        if len(calls) == 1:
            stream.write(data[:3])
            raise KeyboardInterrupt
        fill(stream, data)

    monkeypatch.setattr(writing, "_fill", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rewrite(path, "a", "long")

    assert path.read_bytes() == other.read_bytes() == b"a = 1\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.py", "b.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="no signal of this kind there")
def test_what_a_killed_process_leaves_is_cleared_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a = 1\n")
    program = (
        "import os, pathlib, signal, sys\n"
        "from torchlint.sources import writing\n"
        "from torchlint.sources.reading import decode\n"
        "os.fsync = lambda number: os.kill(os.getpid(), signal.SIGKILL)\n"
        "writing.write(pathlib.Path(sys.argv[1]), decode(b'a = 1\\n'), 'b = 1\\n', b'a = 1\\n')\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], env=environment(), check=False)

    assert killed.returncode == -signal.SIGKILL
    assert (path.read_bytes(), sorted(each.name for each in tmp_path.iterdir())) == (b"a = 1\n", [".a.py.torchlint", "a.py"])
    rewrite(path, "a", "c")
    assert (path.read_bytes(), [each.name for each in tmp_path.iterdir()]) == (b"c = 1\n", ["a.py"])


@pytest.mark.skipif(sys.platform == "win32", reason="no locks of this kind there")
def test_a_file_that_another_process_is_changing_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a = 1\n")
    with writing._beside(path), pytest.raises(NotWritten, match="another process is changing it"):
        rewrite(path, "a", "b")

    assert (path.read_bytes(), [each.name for each in tmp_path.iterdir()]) == (b"a = 1\n", ["a.py"])


def test_a_file_of_our_own_is_saved_whole_with_its_mode_or_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    save(path, b"new\n")
    path.chmod(0o640)
    save(path, b"longer than before\n")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"longer than before\n", 0o640)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotWritten, match="No space left on device"):
        save(path, b"half\n")
    assert path.read_bytes() == b"longer than before\n"
    assert [each.name for each in tmp_path.iterdir()] == ["report.json"]


def full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_of_our_own_keeps_its_other_names_and_a_link_to_it_stays_one(tmp_path: Path) -> None:
    path, other, link = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    path.write_bytes(b"a")
    os.link(path, other)
    link.symlink_to("a")
    save(link, b"new")

    assert (other.read_bytes(), link.is_symlink()) == (b"new", True)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here")
def test_what_a_device_does_not_take_is_said() -> None:
    save(Path("/dev/null"), b"a")
    with pytest.raises(NotWritten, match="No space left on device"):
        save(Path("/dev/full"), b"a")


def test_a_folder_that_takes_no_file_is_named_as_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a\n")

    def refused(file: Path, flags: int, mode: int = 0o777) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(writing.os, "open", refused)
    with pytest.raises(NotWritten, match="no file can be made beside it: Permission denied"):
        write(path, decode(b"a\n"), "b\n", b"a\n")

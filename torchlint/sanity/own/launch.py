"""A run of the user's program in a process of its own: started, answered, listened to, ended in time. Its record is what is left of it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Any

from torchlint.sanity import processes
from torchlint.sanity.own import child
from torchlint.sanity.own.loading import Served
from torchlint.sanity.own.record import Record, read

_PACE = 0.2
"""Seconds between two looks at what the program has printed."""
_START = 300.0
"""Seconds in which torch must have been imported."""
_FAREWELL = 5.0
"""Seconds that a program has to go once it has ended: threads and processes of its own may hold it."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is to run, as `python` would be told."""

    target: str
    arguments: tuple[str, ...] = ()
    module: bool = False
    """Whether the target is a module, as after `-m`, and not a file."""
    device: str = "cpu"
    """The kind of device that it may use beside the CPU: it then starts in a process of its own, for no driver survives a fork."""
    hidden: bool = False
    """Whether accelerators are hidden from it."""

    def __str__(self) -> str:
        return f"-m {self.target}" if self.module else self.target


def launch(
    program: Program,
    *,
    steps: int,
    time_limit: float,
    further: float = 0.0,
    by_backwards: bool = False,
    serve: Callable[[str], Served | None] | None = None,
    texts: Mapping[str, str] | None = None,
    echo: Callable[[str], None] | None = None,
) -> Record:
    """Run the program for so many steps, or so many backwards, and for `further` seconds at most while a wanted place is not reached.

    `serve` is asked for each file that it imports and `texts` lacks; `echo` gets what it prints.
    """
    job = _job(program, steps) | {"texts": dict(texts or {}), "ask": serve is not None, "further": further, "by_backwards": by_backwards}
    with tempfile.TemporaryDirectory(prefix="torchlint-", ignore_cleanup_errors=True) as folder:
        ours, theirs = multiprocessing.Pipe()
        started = monotonic()
        process = processes.start(child.work, (job, folder, theirs), program.device)
        theirs.close()
        listener = _Listener(Path(folder, child.OUTPUT), echo)
        try:
            in_time = _attend(process, ours, serve, listener, Path(folder, child.RECORD), time_limit)
        finally:
            _end(process)
            ours.close()
            listener.listen()
        return read(
            Path(folder, child.RECORD),
            output=listener.heard,
            seconds=monotonic() - started,
            timed_out=not in_time,
            status=process.exitcode or 0,
        )


def _job(program: Program, steps: int) -> dict[str, Any]:
    environment = dict(os.environ)
    if program.hidden:
        environment |= {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}
    return {
        "target": program.target,
        "arguments": program.arguments,
        "module": program.module,
        "folder": os.getcwd(),
        "environment": environment,
        # Without what stands first for `torchlint` itself.
        "path": sys.path[1:] if not getattr(sys.flags, "safe_path", False) else sys.path[:],
        "steps": steps,
        "device": program.device,
    }


def _attend(
    process: BaseProcess,
    connection: Connection,
    serve: Callable[[str], Served | None] | None,
    listener: _Listener,
    record: Path,
    time_limit: float,
) -> bool:
    """Answer and listen until the process ends; whether it did so in time. Importing torch is not counted."""
    asked: list[Any] = [connection]
    over: float | None = None
    until = monotonic() + _START
    begun = False
    while monotonic() < until:
        if not begun and record.exists() and record.stat().st_size:
            begun, until = True, monotonic() + time_limit
        ready = wait([process.sentinel, *asked], min(_PACE, max(until - monotonic(), 0)))
        listener.listen()
        if connection in ready and not _answer(connection, serve):
            asked.clear()
        if process.sentinel in ready:
            return True
        if over is None and _has_ended(record):
            over = monotonic()
        if over is not None and monotonic() - over > _FAREWELL:
            return True
    return _has_ended(record)


def _answer(connection: Connection, serve: Callable[[str], Served | None] | None) -> bool:
    """Whether somebody was there to be answered."""
    try:
        served = serve(connection.recv()) if serve is not None else None
        connection.send((None, []) if served is None else (served.text, list(served.places)))
    except (EOFError, ConnectionError):
        return False
    return True


def _has_ended(record: Path) -> bool:
    """Whether the last event is the end."""
    try:
        with record.open("rb") as file:
            file.seek(max(record.stat().st_size - 65536, 0))
            lines = file.read().splitlines()
    except OSError:
        return False
    return bool(lines) and lines[-1].startswith(b'{"event":"end"')


def _end(process: BaseProcess) -> None:
    """End what is left of it, and of what it started."""
    if hasattr(os, "killpg") and process.pid is not None:
        with suppress(ProcessLookupError, PermissionError):  # if nobody is left
            os.killpg(process.pid, signal.SIGKILL)
    processes.join(process, kill=process.is_alive())


class _Listener:
    """What the program prints, as it prints it."""

    def __init__(self, path: Path, echo: Callable[[str], None] | None) -> None:
        self._path, self._echo = path, echo
        self._position = 0
        self.heard = ""
        """The end of it."""

    def listen(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._position)
                data = file.read()
        except OSError:
            return
        self._position += len(data)
        text = data.decode("utf-8", errors="backslashreplace")
        self.heard = (self.heard + text)[-_KEPT:]
        if text and self._echo is not None:
            self._echo(text)


_KEPT = 20_000
"""Characters of the output that are kept for a report."""

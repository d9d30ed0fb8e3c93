"""Child processes: one job each, with a time limit, and the outcome or the reason why there is none.

Importing torch takes longer than most programs of a scenario, so on Linux one process imports it once and forks for every program that
stays on the CPU. A program that uses another device starts afresh: a driver does not survive a fork.
The parent never imports torch: what comes back is JSON.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torchlint
from torchlint.sanity import child

TIME_LIMIT = 300.0
"""Seconds for one program. A scenario takes a second or two; this ends only what hangs."""

PRELOADED = [
    *("torchlint.cli", "torch", "torch._dynamo", "torch.distributed"),
    *("torchlint.sanity.measure", "torchlint.sanity.observe", "torchlint.sanity.own.child", "torchlint.sanity.own.recorder"),
]
"""What the process that forks has imported: what the parent's script imports, torch, and what torch loads at first use."""

_children = threading.Lock()
"""Held where children are started and where their status is read: starting one reads that of all others, and it can be read only once."""


class ChildFailedError(Exception):
    """The process ended without an outcome; the message says how."""


def execute(job: dict[str, Any], *, time_limit: float = TIME_LIMIT) -> dict[str, Any]:
    """Run one job (`torchlint.sanity.child` says what it holds) in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="torchlint-", ignore_cleanup_errors=True) as folder:
        if "text" in job:
            try:
                Path(folder, child.PROGRAM).write_text(job["text"], encoding="utf-8")
            except OSError as error:  # a disk that is full
                raise ChildFailedError(f"its text cannot be written below {tempfile.gettempdir()}: {error.strerror}") from error
        process = start(child.work, (job, folder), job.get("device", "cpu"))
        ended = wait([process.sentinel], time_limit)
        join(process, kill=not ended)
        if not ended:
            raise ChildFailedError(f"it was still running after {time_limit:g} seconds")
        outcome = Path(folder, child.OUTCOME)
        if process.exitcode != 0 or not outcome.exists():
            said = Path(folder, child.ERRORS).read_text(encoding="utf-8", errors="replace") if Path(folder, child.ERRORS).exists() else ""
            last = (said.strip().splitlines() or ["no word on standard error"])[-1]
            raise ChildFailedError(f"its process ended with status {process.exitcode}: {last}")
        found: dict[str, Any] = json.loads(outcome.read_text(encoding="utf-8"))
        return found


def start(work: Callable[..., None], arguments: tuple[Any, ...], device: str) -> BaseProcess:
    """A process that does this work on this kind of device, forked from the one that has imported torch where that can be."""
    process = _context(device).Process(target=work, args=arguments)
    with _children, _environment():
        process.start()
    return process


def join(process: BaseProcess, *, kill: bool) -> None:
    """Take leave of a process that has ended, or that is to end now."""
    with _children:
        if kill:
            process.kill()
        process.join()


def _context(device: str) -> ForkServerContext | SpawnContext:
    if sys.platform != "linux" or device != "cpu":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


@contextmanager
def _environment() -> Iterator[None]:
    """This process's own, with this very torchlint importable from any folder, and hashes that do not vary."""
    ours = {"PYTHONHASHSEED": "0"}
    home = str(Path(torchlint.__file__).parent.parent)
    # Installed packages must not come before the standard library, so only a checkout is put in front.
    if home not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        ours["PYTHONPATH"] = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

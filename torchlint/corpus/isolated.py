"""A process that judges texts, and that may die of one: the next text gets another process.

Spoken to through pipes, so that it ends when whoever started it is gone.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Timer
from typing import IO, Any

from torchlint.corpus.judging import Standards, Verdict

_READY = "ready"
_PATIENCE = 300.0
"""Seconds to start in; on a loaded machine, imports take a while."""


class Isolated:
    def __init__(self, standards: Standards, timeout: float) -> None:
        self._standards = standards
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None

    def judge(self, data: bytes, path: str | None) -> Verdict:
        process = self._process or self._started()
        verdict: Verdict | None = None
        with _limited(process, self._timeout) as expired:
            try:
                verdict = _ask(process, (data, path))
            except (EOFError, OSError, pickle.UnpicklingError):
                process.kill()
                process.wait()
        if process.returncode is not None or expired.is_set():
            self.close()
        if verdict is not None:
            return verdict
        if expired.is_set():
            return Verdict(error=f"was not judged within {self._timeout:g} seconds")
        return Verdict(error="kills the process that checks it")

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        # Modules come from where they come from here, and never from the current folder, which may be that of the code that is checked.
        code = f"import sys; sys.path[:] = {[each for each in sys.path if each]!r}; from {__name__} import serve; serve()"
        self._process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with _limited(self._process, _PATIENCE):
            try:
                said = _ask(self._process, self._standards)
            except (EOFError, OSError, pickle.UnpicklingError):
                said = None
        if said != _READY:
            self.close()
            raise RuntimeError("the process that judges texts does not start")
        return self._process


def serve() -> None:
    """What the process does: standards in, then texts in and verdicts out, until nobody asks any more."""
    from torchlint.run.many import collect_rarely
    from torchlint.selection import all_rules

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it is interrupted, and ends it
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a rule prints is no answer
    collect_rarely()
    standards: Standards = pickle.load(sys.stdin.buffer)
    all_rules()
    _tell(answers, _READY)
    while True:
        try:
            data, path = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        _tell(answers, standards.judge(data, path))


def _ask(process: subprocess.Popen[bytes], question: object) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    _tell(process.stdin, question)
    return pickle.load(process.stdout)


def _tell(stream: IO[bytes], what: object) -> None:
    pickle.dump(what, stream, pickle.HIGHEST_PROTOCOL)
    stream.flush()


@contextmanager
def _limited(process: subprocess.Popen[bytes], seconds: float) -> Iterator[Event]:
    """Kill the process if this takes longer; the event tells whether it did."""
    expired = Event()

    def expire() -> None:
        expired.set()
        process.kill()

    timer = Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()

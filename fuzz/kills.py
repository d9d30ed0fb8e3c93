"""Runs that are killed at random moments while they fix: no file may be lost, and the next run must not be hindered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from torchlint.edits import Applicability
from torchlint.engine import fix

FILES = 24
FLAWED = "import torch\n\n\ndef make(n):\n    return torch.zeros(n).cuda()\n\n\n"
_COMMAND = (sys.executable, "-m", "torchlint", "check", "--fix", "--isolated", "--jobs", "2", ".")
_CHECKOUT = Path(__file__).parents[1]


def problems(times: int, seed: int) -> Iterator[str]:
    """What went wrong in so many runs, each killed by `SIGKILL` sooner or later than the ones before."""
    random = Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _written(folder)
        needed = _duration(folder)
        for number in range(times):
            texts = _written(folder)
            _killed(folder, random.uniform(0.2, 1.0) * needed)
            yield from (f"kill {number}: {each}" for each in _wrong(texts))
            ended = _run(folder)
            if ended.returncode != 0 or ended.stderr:
                yield f"kill {number}: the next run ended with {ended.returncode}: {ended.stderr.decode()}"
            if any(path.read_text(encoding="utf-8") != after for path, (_, after) in texts.items()):
                yield f"kill {number}: the next run did not fix all files"
            if beside := {each.name for each in folder.iterdir()} - {each.name for each in texts} - {".torchlint_cache"}:
                yield f"kill {number}: the next run left {sorted(beside)}"


def _written(folder: Path) -> dict[Path, tuple[str, str]]:
    """The files as they are before, each with its text before and after."""
    texts = {}
    for number in range(FILES):
        before = FLAWED * (1 + number % 5) + f"# {number}\n"
        after = fix(before, applicability=Applicability.SAFE).text
        assert after != before
        path = folder / f"a{number}.py"
        path.write_text(before, encoding="utf-8")
        texts[path] = before, after
    return texts


def _run(folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(_COMMAND, cwd=folder, env=_environment(), capture_output=True, check=False)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_CHECKOUT)}


def _duration(folder: Path) -> float:
    started = time.monotonic()
    _run(folder)
    return time.monotonic() - started


def _killed(folder: Path, seconds: float) -> None:
    """A run that is killed, with all its processes, after so many seconds."""
    null = subprocess.DEVNULL
    run = subprocess.Popen(_COMMAND, cwd=folder, env=_environment(), stdout=null, stderr=null, start_new_session=True)
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()


def _wrong(texts: dict[Path, tuple[str, str]]) -> Iterator[str]:
    for path, either in texts.items():
        if path.read_text(encoding="utf-8") not in either:
            yield f"{path.name} has neither its old text nor its new one"

"""Running one command to its end: how long it took and how much memory its largest process held.

The measuring process stays small on purpose: Linux counts what a parent held at the moment of the start as the child's peak.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    peak_mib: float
    status: int
    output: str

    def best(self, other: Run) -> Run:
        """The quicker of two: what disturbs a measurement only ever makes it slower."""
        return self if self.seconds <= other.seconds else other


def run(command: Sequence[str], given: str = "", accepted: tuple[int, ...] = (0,)) -> Run:
    """Run a command in the checkout, with this text on its standard input, and wait for it. Any other exit status ends the benchmark."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    with tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, env=environment, text=True
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(given)
            process.stdin.close()
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        if process.returncode not in accepted:
            raise SystemExit(f"{' '.join(command[:6])} ... ended with {process.returncode}:\n{errors.read()[-2000:]}")
    return Run(seconds, usage.ru_maxrss * BYTES_PER_UNIT / 2**20, process.returncode, output)


def race(contenders: dict[str, Callable[[], Run]], rounds: int) -> dict[str, Run]:
    """Let the contenders take turns, and keep the best of each, so that a slow minute of the machine hits all alike."""
    best: dict[str, Run] = {}
    for _ in range(rounds):
        for name, contender in contenders.items():
            result = contender()
            best[name] = result.best(best[name]) if name in best else result
    return best

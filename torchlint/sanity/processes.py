"""Child processes: one job each, with a time limit, and the outcome or the reason why there is none.

The parent never imports torch: what comes back is JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import torchlint

TIME_LIMIT = 300.0
"""Seconds for one program. A scenario takes a second or two; this ends only what hangs."""


class ChildFailedError(Exception):
    """The process ended without an outcome; the message says how."""


def execute(job: dict[str, Any], *, time_limit: float = TIME_LIMIT) -> dict[str, Any]:
    """Run one job (`torchlint.sanity.child` says what it holds) in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="torchlint-") as folder:
        outcome = Path(folder, "outcome.json")
        if "text" in job:
            program = Path(folder, "scenario.py")
            program.write_text(job["text"], encoding="utf-8")
            job = {name: value for name, value in job.items() if name != "text"} | {"program": str(program)}
        try:
            done = subprocess.run(
                [sys.executable, "-m", "torchlint.sanity.child"],
                input=json.dumps(job | {"outcome": str(outcome)}),
                cwd=folder,
                env=_environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=time_limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ChildFailedError(f"it was still running after {time_limit:g} seconds") from None
        if done.returncode != 0 or not outcome.exists():
            last = (done.stderr.strip().splitlines() or ["no word on standard error"])[-1]
            raise ChildFailedError(f"its process ended with status {done.returncode}: {last}")
        found: dict[str, Any] = json.loads(outcome.read_text(encoding="utf-8"))
        return found


def _environment() -> dict[str, str]:
    """This process's own, with this very torchlint importable from any folder, and hashes that do not vary."""
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    home = str(Path(torchlint.__file__).parent.parent)
    # Installed packages must not come before the standard library, so only a checkout is put in front.
    if home not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (home, environment.get("PYTHONPATH"))))
    return environment

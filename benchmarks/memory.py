"""What `torchlint check` holds at its peak, in the process that was started and in the largest that it started, against a bare parse.

    python -m benchmarks.memory                     # torch/nn, torch/optim and torch/utils of the installed torch
    python -m benchmarks.memory ~/src/project --jobs 4

The yardstick is LibCST's tree of the largest of the files, in a process of its own. Promised are one and a half times that and 60 MiB: the
program itself, and the trees of other files that one file leads to.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import BYTES_PER_UNIT, run
from benchmarks.speed import installed_torch, lines_in, sources

PARTS = ("nn", "optim", "utils")
TIMES, MORE = 1.5, 60
_REPORTING = """
import atexit, json, resource, sys
file = sys.argv.pop(1)
peaks = lambda: [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
atexit.register(lambda: open(file, "w").write(json.dumps(peaks())))
from torchlint.__main__ import main
main()
"""


def figures(folders: list[Path] | None = None, jobs: int = 2) -> None:
    files = sources(folders or [root / part for root in installed_torch() for part in PARTS], 1)
    if not files:
        raise SystemExit("no Python files there")
    largest = max(files, key=lambda path: Path(path).read_bytes().count(b"\n"))
    bare = run([sys.executable, "-m", "benchmarks.bare_parse", "1"], largest).peak_mib
    parent, worker = _check(files, jobs)
    most = TIMES * bare + MORE
    print(f"{len(files):,} files, {lines_in(files):,} lines; the largest, {Path(largest).name}, has {lines_in([largest]):,}")
    for name, mib in ((f"bare parse of {Path(largest).name}", bare), ("torchlint check", parent), (f"... the largest of {jobs}", worker)):
        print(f"{name:34}{mib:8.0f} MiB{mib / bare:8.2f} against the parse{'' if mib <= most else f', more than {most:.0f}'}")


def _check(files: list[str], jobs: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        peaks = Path(folder, "peaks.json")
        options = ["--isolated", "--no-cache", "--jobs", str(jobs), "--output-format", "concise"]
        run([sys.executable, "-c", _REPORTING, str(peaks), "check", *options, *files], accepted=(0, 1))
        parent, worker = json.loads(peaks.read_text(encoding="utf-8"))
    return parent * BYTES_PER_UNIT / 2**20, worker * BYTES_PER_UNIT / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help=f"default: {', '.join(PARTS)} of the installed torch")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    figures(options.folders, options.jobs)


if __name__ == "__main__":
    main()

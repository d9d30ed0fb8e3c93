"""Time and memory of `torchlint check` against bare LibCST parsing and against TorchFix, over the same files on the same cores.

    python -m benchmarks.speed                          # the installed torch
    python -m benchmarks.speed ~/src/project --torchfix ~/venvs/torchfix/bin/torchfix
    python -m benchmarks.speed --every 10 --rounds 1    # a quick look

TorchFix pins an older LibCST, so it lives in an environment of its own. Read the ratios; seconds are of this machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Run, race, run

PHASES = ("read", "parse", "model", "evaluate", "rules", "spans", "suppressions")
MODEL = ("model", "evaluate", "rules")
SELECTIONS = {
    "rules on by default": (),
    "the first eight": ("--select", "TL101,TL102,TL201,TL301,TL401,TL402,TL608,TL701"),
    "all rules": ("--select", "ALL"),
}
"""Which rules are measured together, as `benchmarks.phases` is asked for them."""


def sources(folders: list[Path], every: int) -> list[str]:
    files = sorted(str(path) for folder in folders for path in folder.rglob("*.py") if path.is_file())
    return files[::every]


def installed_torch() -> list[Path]:
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.submodule_search_locations is None:
        raise SystemExit("torch is not installed: name the folders to measure")
    return [Path(each) for each in spec.submodule_search_locations]


def contenders(files: list[str], jobs: int, torchfix: str | None) -> dict[str, Callable[[], Run]]:
    listed = "\n".join(files)
    check = [sys.executable, "-m", "torchlint", "check", "--isolated", "--no-cache", "--jobs", str(jobs), "--output-format", "json"]
    entries: dict[str, Callable[[], Run]] = {
        "libcst.parse_module": lambda: run([sys.executable, "-m", "benchmarks.bare_parse", str(jobs)], listed),
        "torchlint check": lambda: run([*check, *files], accepted=(0, 1)),
    }
    if torchfix is not None:
        entries["torchfix"] = lambda: run([torchfix, "--select", "ALL", "-j", str(jobs), *files])
    return entries


def lines_in(files: list[str]) -> int:
    return sum(Path(path).read_bytes().count(b"\n") for path in files)


def print_race(files: list[str], best: dict[str, Run]) -> None:
    thousands = lines_in(files) / 1000
    parse, check = best["libcst.parse_module"], best["torchlint check"]
    print(f"{'':22}{'seconds':>9}{'ms / 1,000 lines':>18}{'against parse':>15}{'peak MiB':>10}")
    for name, result in best.items():
        print(
            f"{name:22}{result.seconds:9.2f}{1000 * result.seconds / thousands:18.1f}"
            f"{result.seconds / parse.seconds:15.2f}{result.peak_mib:10.0f}"
        )
    print(f"torchlint check found {len(json.loads(check.output)):,} places, exit status {check.status}")
    if "torchfix" in best:
        print(f"torchlint is {best['torchfix'].seconds / check.seconds:.1f} times as fast as TorchFix")


def print_memory(files: list[str], rounds: int, torchfix: str | None) -> None:
    """Files are read one at a time, so what counts is what the largest one takes above a tiny one, per 1,000 lines of it."""
    largest = max(files, key=lambda path: Path(path).read_bytes().count(b"\n"))
    thousands = lines_in([largest]) / 1000
    with tempfile.TemporaryDirectory() as folder:
        tiny = Path(folder, "tiny.py")
        tiny.write_text("import torch\n\nweight = torch.zeros(2).cuda()\n", encoding="utf-8")
        full, idle = (race(contenders([path], 1, torchfix), rounds) for path in (largest, str(tiny)))
    print(f"\nMemory above a file of three lines, for {Path(largest).name} ({1000 * thousands:,.0f} lines), one process")
    bare = full["libcst.parse_module"].peak_mib - idle["libcst.parse_module"].peak_mib
    for name, result in full.items():
        extra = result.peak_mib - idle[name].peak_mib
        print(f"{name:22}{extra / thousands:8.1f} MiB / 1,000 lines{extra / bare:8.2f} against parse")


def print_phases(files: list[str], roots: list[str]) -> None:
    phases = [sys.executable, "-m", "benchmarks.phases"]

    def measured(*given: str) -> tuple[dict[str, float], dict[str, int]]:
        found = json.loads(run([*phases, *given], "\n".join(files)).output)
        return found["seconds"], found["counts"]

    seconds, counts = measured()
    thousands, bare = counts["parsed lines"] / 1000, seconds["bare parse"]
    print(f"\nPhases, one process: {counts['parsed files']:,} of {counts['files']:,} files ({1000 * thousands:,.0f} lines) mention torch")

    def show(name: str, spent: float, parse: float = bare) -> None:
        print(f"{name:22}{1000 * spent / thousands:8.2f} ms / 1,000 lines{spent / parse:8.3f} against parse")

    for phase in PHASES:
        show(phase, seconds.get(phase, 0.0))
    print(f"\n{'against parse':22}{'all of lint':>12}{'model + rules':>15}{'imports followed':>18}{'model + rules':>15}")
    for name, given in SELECTIONS.items():
        alone, together = (seconds if not given else measured(*given)[0]), measured(*given, *roots)[0]
        figures = [sum(each[phase] for phase in some) / each["bare parse"] for each in (alone, together) for some in (("lint",), MODEL)]
        print(f"{name:22}{figures[0]:12.2f}{figures[1]:15.2f}{figures[2]:18.2f}{figures[3]:15.2f}")
    print("\nEach rule after the passes")
    for phase in sorted(each for each in seconds if each.startswith("TL")):
        show(phase, seconds[phase])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="default: the installed torch")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs; the best counts")
    parser.add_argument("--every", type=int, default=1, help="take only every n-th file")
    parser.add_argument("--torchfix", default=shutil.which("torchfix"), help="path of a torchfix executable")
    options = parser.parse_args()

    folders = options.folders or installed_torch()
    files = sources(folders, options.every)
    if not files:
        raise SystemExit("no Python files there")
    print(f"{len(files):,} files, {lines_in(files):,} lines, {options.jobs} processes, best of {options.rounds}\n")
    print_race(files, race(contenders(files, options.jobs, options.torchfix), options.rounds))
    print_memory(files, options.rounds, options.torchfix)
    print_phases(files, [str(folder) for folder in folders])


if __name__ == "__main__":
    main()

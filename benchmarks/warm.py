"""How long a check takes whose findings are known, against one that begins anew, and against Ruff's with its own cache.

    python -m benchmarks.warm                           # parts of the installed torch
    python -m benchmarks.warm ~/src/project --rounds 5

The files are copied first, so that one of them can be changed. Read the ratios; seconds are of this machine.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Run, race, run
from benchmarks.speed import installed_torch, sources

PARTS = ("nn", "distributed", "optim", "utils")


def copied(folders: list[Path], target: Path, most: int | None = None) -> list[Path]:
    """The copies, at most so many."""
    found: list[Path] = []
    for number, folder in enumerate(folders):
        for path in map(Path, sources([folder], 1)[: None if most is None else most - len(found)]):
            place = target / str(number) / path.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
            found.append(place)
    return found


def changed(path: Path, command: list[str]) -> Run:
    with path.open("a", encoding="utf-8") as file:
        file.write("\n")
    return run(command, accepted=(0, 1))


def figures(folders: list[Path], rounds: int, ruff: str | None, most: int | None = None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree, caches = Path(folder, "tree"), Path(folder, "caches")
        files = copied(folders, tree, most)
        if not files:
            raise SystemExit("no Python files there")
        options = ["--isolated", "--output-format", "concise", "--cache-dir", str(caches / "torchlint")]
        check = [sys.executable, "-m", "torchlint", "check", *options]
        print(f"{len(files):,} files, best of {rounds}\n")
        cold = run([*check, str(tree)], accepted=(0, 1))
        # What was copied only now is not told by its times yet: these runs are none of the race.
        for _ in range(2):
            known = run([*check, str(tree)], accepted=(0, 1))
        if known.output != cold.output:
            raise SystemExit("a run whose findings are known says something else")
        commands: dict[str, Callable[[], Run]] = {
            "everything is known": functools.partial(run, [*check, str(tree)], accepted=(0, 1)),
            "one file changed": functools.partial(changed, files[0], [*check, str(tree)]),
        }
        if ruff is not None:
            against = [ruff, "check", "--isolated", "--exit-zero", "--statistics", "--cache-dir", str(caches / "ruff"), str(tree)]
            run(against)
            commands["ruff check, everything is known"] = functools.partial(run, against)
        best = {"nothing is known": cold, **race(commands, rounds)}
    least = best["everything is known"].seconds
    for name, result in best.items():
        print(f"{name:34}{1000 * result.seconds:8.0f} ms{result.seconds / least:8.2f} against everything known")


def installed_ruff() -> str | None:
    return shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help=f"default: {', '.join(PARTS)} of the installed torch")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs; the best counts")
    parser.add_argument("--ruff", default=installed_ruff())
    options = parser.parse_args()
    figures(options.folders or [root / part for root in installed_torch() for part in PARTS], options.rounds, options.ruff)


if __name__ == "__main__":
    main()

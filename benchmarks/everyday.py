"""What somebody who works with torchlint waits for and pays, in one go.

    python -m benchmarks.everyday                # some minutes
    python -m benchmarks.everyday --rounds 1 --keys 10

From a key to the findings in an editor, the memory of a check, the time until `torchlint --version` has answered, and a check of 1,000
files whose findings are known against Ruff's. `results/everyday.md` says what is promised, and keeps what was measured.
"""

from __future__ import annotations

import argparse
import functools
import sys

from benchmarks import keystroke, memory, warm
from benchmarks.measure import race, run
from benchmarks.speed import installed_torch

FILES = 1000
LEAST_OF_CLICK = """
import click
@click.group("least")
@click.version_option("1", message="least %(version)s")
def least(): pass
least(["--version"])
"""
"""The smallest program of the same kind: what starts sooner is no click program."""


def start(rounds: int) -> None:
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "the least click program --version": [sys.executable, "-c", LEAST_OF_CLICK],
        "torchlint --version": [sys.executable, "-m", "torchlint", "--version"],
    }
    best = race({name: functools.partial(run, command) for name, command in commands.items()}, rounds)
    least = best["python -c pass"].seconds
    for name, result in best.items():
        print(f"{name:34}{1000 * result.seconds:8.0f} ms{result.seconds / least:8.2f} against python -c pass")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="how often each command runs; the best counts")
    parser.add_argument("--keys", type=int, default=30, help="how many keys are typed into each text")
    options = parser.parse_args()
    print("From a key to the findings")
    keystroke.figures(keys=options.keys)
    print("\nMemory")
    memory.figures()
    print("\nStart")
    start(options.rounds)
    print("\nAgain")
    warm.figures(installed_torch(), options.rounds, warm.installed_ruff(), FILES)


if __name__ == "__main__":
    main()

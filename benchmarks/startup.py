"""How long torchlint takes before it has done anything, against `python -c "import click"`, the least a click program can cost.

`python -m benchmarks.startup [--rounds 20]`
"""

from __future__ import annotations

import argparse
import ast
import functools
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import ROOT, race, run

LINES = 300


def script_of(lines: int, kind: str = "bad") -> str:
    """Training code of about this many lines, with mistakes or, `good`, without: whole definitions from torchlint's own cases."""
    pieces: list[str] = []
    total = 0
    for path in sorted((ROOT / "fixtures").rglob(f"{kind}.py")):
        text = path.read_text(encoding="utf-8")
        rows = text.splitlines(keepends=True)
        for node in ast.parse(text).body:
            start = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
            piece = "".join(rows[start - 1 : node.end_lineno]) + "\n"
            if total + piece.count("\n") <= lines:
                pieces.append(piece)
                total += piece.count("\n")
    return "".join(pieces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="how often each command runs; the best counts")
    rounds = parser.parse_args().rounds

    with tempfile.TemporaryDirectory() as folder:
        plain, script = Path(folder, "plain.py"), Path(folder, "script.py")
        plain.write_text("import json\n\nprint(json.dumps({'answer': 42}))\n", encoding="utf-8")
        script.write_text(script_of(LINES), encoding="utf-8")
        commands = {
            'python -c "import click"': [sys.executable, "-c", "import click"],
            "torchlint --version": [sys.executable, "-m", "torchlint", "--version"],
            "torchlint check, no torch in the file": [sys.executable, "-m", "torchlint", "check", "--isolated", "--no-cache", str(plain)],
            f"torchlint check, {script.read_text(encoding='utf-8').count(chr(10))} lines": [
                *(sys.executable, "-m", "torchlint", "check", "--isolated", "--no-cache", str(script))
            ],
            'python -c "import libcst"': [sys.executable, "-c", "import libcst"],
        }
        best = race({name: functools.partial(run, command, accepted=(0, 1)) for name, command in commands.items()}, rounds)

    least = best['python -c "import click"'].seconds
    for name, result in best.items():
        print(f"{name:40}{1000 * result.seconds:8.0f} ms{result.seconds / least:8.2f} against import click{result.peak_mib:8.0f} MiB")


if __name__ == "__main__":
    main()

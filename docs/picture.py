"""Draws `docs/terminal.svg`: what `torchlint check examples/train.py` prints on a terminal, as it prints it.

`python docs/picture.py` after any change of output or messages; a test tells when it is due.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "terminal.svg"
COMMAND = ("check", "examples/train.py")
COLUMNS = 118


def terminal_output() -> str:
    """The real output, colours included."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "torchlint", *COMMAND]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, encoding="utf-8").stdout


def drawn() -> str:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print(Text.from_ansi(f"$ torchlint {' '.join(COMMAND)}\n" + terminal_output().rstrip()), soft_wrap=False)
        return console.export_svg(title="torchlint", unique_id="torchlint")


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)}")

"""From a key to the findings: a real server over standard input and output, a text in which somebody types, the time until it has answered.

    python -m benchmarks.keystroke
    python -m benchmarks.keystroke train.py --keys 50

The text lies among other files, as in a project. Every key is typed once the answer to the one before is there, as if somebody thought.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from string import ascii_letters
from typing import Any

from benchmarks.measure import ROOT
from benchmarks.startup import script_of

LENGTHS = (300, 1000)
WORD = "spare"
LETTERS = frozenset(ascii_letters)
"""What a row of code at the top level begins with."""


class Editor:
    """As little of a client as is needed."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "torchlint", "server"]
        self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=folder)
        folders = [{"uri": folder.as_uri(), "name": "project"}]
        capabilities = {"textDocument": {"publishDiagnostics": {"relatedInformation": True}}}
        self._send("initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": capabilities, "workspaceFolders": folders}, 1)
        while self._read().get("id") != 1:
            pass
        self._send("initialized", {})

    def open(self, uri: str, text: str) -> int:
        """How many findings there are."""
        self._send("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}})
        return self._found(1)

    def type(self, uri: str, text: str, version: int) -> float:
        """The seconds until the findings of this version are there."""
        start = time.perf_counter()
        self._send("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]})
        self._found(version)
        return time.perf_counter() - start

    @property
    def processor_seconds(self) -> float | None:
        """What the server has used so far, where the system says it."""
        try:
            fields = Path(f"/proc/{self._server.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self._send("shutdown", None, 2)
        while self._read().get("id") != 2:
            pass
        self._send("exit", None)
        self._server.wait()

    def _found(self, version: int) -> int:
        while True:
            message = self._read()
            params = message.get("params") or {}
            if message.get("method") == "textDocument/publishDiagnostics" and params.get("version") == version:
                return len(params["diagnostics"])

    def _send(self, method: str, params: Any, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})}
        body = json.dumps(message if number is None else {**message, "id": number}).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._server.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._server.stdout is not None
        length = 0
        while header := self._server.stdout.readline().strip():
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise SystemExit("the server is gone")
        message: dict[str, Any] = json.loads(self._server.stdout.read(length))
        return message


def typed(text: str, keys: int) -> list[str]:
    """The text after each of so many keys: names that are written letter by letter, in the middle of it. It is Python all the time."""
    rows = text.splitlines(keepends=True)
    place = next((number for number in range(len(rows) // 2, 0, -1) if not rows[number - 1].strip() and rows[number][:1] in LETTERS), 0)
    before, after = "".join(rows[:place]), "".join(rows[place:])
    names = "".join(f"{WORD}_{number}\n" for number in range(keys))
    return [f"{before}{names[: end + 1]}\n{after}" for end in range(keys)]


def project(folder: Path) -> None:
    """Other files beside the one that is open: those that torchlint's own rules are tried on."""
    for number, path in enumerate(sorted((ROOT / "fixtures").rglob("bad.py"))):
        shutil.copyfile(path, folder / f"script_{number}.py")


@dataclass(frozen=True, slots=True)
class Typed:
    findings: int
    """To begin with."""
    seconds: list[float]
    """Of every key."""
    processor: float | None
    """Seconds that the server was busy for a key on the average. What else the machine does matters less here."""


def measure(text: str, keys: int, folder: Path) -> Typed:
    path = folder / "open.py"
    path.write_text(text, encoding="utf-8")
    editor = Editor(folder)
    found = editor.open(path.as_uri(), text)
    before = editor.processor_seconds
    seconds = [editor.type(path.as_uri(), each, version) for version, each in enumerate(typed(text, keys), start=2)]
    after = editor.processor_seconds
    editor.close()
    return Typed(found, seconds, (after - before) / keys if before is not None and after is not None else None)


def show(name: str, text: str, keys: int) -> None:
    with tempfile.TemporaryDirectory() as created:
        folder = Path(created).resolve()
        project(folder)
        result = measure(text, keys, folder)
    slow = quantiles(result.seconds, n=20)[-1]
    times = f"{1000 * median(result.seconds):7.0f} ms in the median{1000 * slow:7.0f} ms for 19 of 20 keys"
    busy = f"{1000 * result.processor:7.0f} ms of a processor" if result.processor is not None else ""
    rows = text.count("\n")
    print(f"{name:24}{rows:7,} lines{result.findings:5} findings{times}{busy}", flush=True)


def figures(files: Sequence[Path] = (), keys: int = 30) -> None:
    for path in files:
        show(path.name, path.read_text(encoding="utf-8"), keys)
    for lines in () if files else LENGTHS:
        show("training code", script_of(lines, "good"), keys)
        show("... full of mistakes", script_of(lines), keys)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="default: code of 300 and of 1,000 lines from torchlint's own cases")
    parser.add_argument("--keys", type=int, default=30, help="how many keys are typed")
    options = parser.parse_args()
    figures(options.files, options.keys)


if __name__ == "__main__":
    main()

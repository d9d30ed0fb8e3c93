"""The record of a run while it is written: one line of JSON per event, complete whenever the process dies."""

from __future__ import annotations

import json
import os
from pathlib import Path


class Writer:
    """Each event is one write at the end of the file, so that processes which were forked off can add to it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.set_inheritable(self._file, False)

    def write(self, event: str, **facts: object) -> None:
        line = json.dumps({"event": event, **facts}, separators=(",", ":"))
        os.write(self._file, (line + "\n").encode())

"""Which run a folder of results belongs to: `corpus.json`, so that another run goes on with it, or does not mix its own results into it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow.fs

from torchlint.corpus import CorpusError

NAME = "corpus.json"
_BEGUN = f".{NAME}"
"""What it is called until it is whole."""
_FINISHED = "finished"


class Record:
    """The folder that a run writes to."""

    def __init__(self, output: str, filesystem: pyarrow.fs.FileSystem, folder: str) -> None:
        self._output = output
        self.filesystem = filesystem
        self._folder = folder

    def path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def begin(self, run: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Make the folder this run's; what the run came to if it is finished. Raises `CorpusError` if it is another's."""
        kept = self._read()
        if kept is None:
            if any(each != _BEGUN for each in self._names()):
                raise CorpusError(f"{self._output}: is not empty, and holds no run of torchlint corpus; name another --output")
            self._write({**run, _FINISHED: None})
            return None
        finished: Mapping[str, Any] | None = kept.pop(_FINISHED, None)
        if kept == json.loads(json.dumps(run)):
            return finished
        other = sorted(name for name in {*kept, *run} if kept.get(name) != json.loads(json.dumps(run.get(name))))
        raise CorpusError(
            f"{self._output}: holds a run that differs from this one in what is here called {', '.join(other)}; "
            "name another --output, or remove this one"
        )

    def finish(self, run: Mapping[str, Any], came_to: Mapping[str, Any]) -> None:
        self._write({**run, _FINISHED: came_to})

    def holds(self, name: str) -> list[str]:
        """The Parquet files in this folder of the output."""
        return [self.path(f"{name}/{each}") for each in self._names(name) if each.endswith(".parquet")]

    def _names(self, name: str = "") -> list[str]:
        selector = pyarrow.fs.FileSelector(self.path(name).rstrip("/"), allow_not_found=True)
        try:
            return [each.base_name for each in self.filesystem.get_file_info(selector)]
        except OSError as error:
            raise CorpusError(f"{self._output}: cannot be read: {error}") from error

    def _read(self) -> dict[str, Any] | None:
        try:
            with self.filesystem.open_input_stream(self.path(NAME)) as stream:
                kept = json.loads(stream.readall())
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise CorpusError(f"{self._output}: is no folder") from None
        except OSError as error:
            raise CorpusError(f"{self._output}: cannot be read: {error}") from error
        except ValueError:
            kept = None
        if not isinstance(kept, dict):
            raise CorpusError(f"{self._output}: its {NAME} is not one that torchlint corpus wrote")
        return kept

    def _write(self, run: Mapping[str, Any]) -> None:
        """All of it or nothing, whatever interrupts it."""
        try:
            self.filesystem.create_dir(self._folder, recursive=True)
            with self.filesystem.open_output_stream(self.path(_BEGUN)) as stream:
                stream.write(json.dumps(run, indent=2).encode())
            self.filesystem.move(self.path(_BEGUN), self.path(NAME))
        except OSError as error:
            raise CorpusError(f"{self._output}: cannot be written: {error}") from error

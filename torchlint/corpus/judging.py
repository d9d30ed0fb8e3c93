"""What is said about one text: its findings as the JSON format has them, why it could not be judged, and what fixing made of it.

A text is judged by itself. Nothing that it imports is looked at, and its path is but a name: it says what kind of text it is, and which
of the settings speak of it.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from torchlint.edits import Applicability
from torchlint.run.failure import account
from torchlint.run.many import concerns
from torchlint.run.one import Mode, Task, check_bytes
from torchlint.selection import INTERNAL_ERROR, SYNTAX_ERROR
from torchlint.settings import Settings
from torchlint.sources import kinds
from torchlint.sources.reading import declared_encoding


class Verdict(NamedTuple):
    diagnostics: tuple[dict[str, Any], ...] = ()
    """What is left."""
    fixes: int = 0
    fixed: bytes | None = None
    """What the text became, if anything was fixed."""
    error: str | None = None
    """Why there is no verdict, or none on all of the text."""


@dataclass(frozen=True, slots=True)
class Standards:
    """By what all texts of a run are judged."""

    settings: Mapping[str, Settings]
    """Those of the files in each folder, by the folder's absolute path."""
    others: Settings
    """Those of all other texts."""
    root: str
    """The absolute folder that relative paths are relative to."""
    fix: Applicability | None
    """The fixes that are applied: these and safer ones; None for none."""

    @property
    def digest(self) -> str:
        """What changes with any of the settings."""
        described = [(folder, repr(each)) for folder, each in sorted(self.settings.items())]
        return sha256(repr((described, repr(self.others), self.root)).encode("utf-8", "backslashreplace")).hexdigest()

    def judge(self, data: bytes, path: str | None) -> Verdict:
        """`path` names the text; what has none goes by the name of standard input."""
        named = Path(self.root, path) if path is not None else Path("-")
        settings = self.settings.get(str(named.parent), self.others)
        mode = Mode.CHECK if self.fix is None else Mode.FIX
        task = Task(mode, self.fix if self.fix is not None else Applicability.SAFE, roots=None)
        try:
            return _judged(data, named, settings, task)
        except Exception as error:  # noqa: BLE001  a defect of ours in one text must not end a run over millions of them; it is recorded
            return Verdict(error=f"torchlint failed on this text: {account(error)}")


def _judged(data: bytes, path: Path, settings: Settings, task: Task) -> Verdict:
    from torchlint.output.json_list import entries

    report = check_bytes(data, path, settings, task)
    failed = [each.message for each in report.diagnostics if each.code in (INTERNAL_ERROR.code, SYNTAX_ERROR.code)]
    fixed = kinds.read(data, path).encode(report.became) if report.fixed else None
    return Verdict(_unicode(tuple(entries(report))), len(report.fixed), fixed, _unicode(failed[0]) if failed else None)


def _unicode(value: Any) -> Any:
    """The same in valid Unicode, as columns must be: the code of a notebook may hold half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {name: _unicode(each) for name, each in value.items()}
    return type(value)(map(_unicode, value)) if isinstance(value, list | tuple) else value


def is_worth_it(data: bytes) -> bool:
    """Whether anything can be said about the text; most of a corpus need not be parsed."""
    return concerns(data)


def as_file(data: bytes, path: str | None) -> tuple[bytes, str]:
    """The bytes of the file that a text was read from, and their encoding. A text in a data set is UTF-8, whatever its first rows say."""
    suffix = "" if path is None else Path(path).suffix.lower()
    if suffix in (kinds.NOTEBOOK, kinds.MARKDOWN):
        return data, "utf-8"
    try:
        text = data.decode("utf-8")
        encoding = codecs.lookup(declared_encoding(text) or "utf-8").name
        return (data, "utf-8") if encoding.startswith("utf-8") else (text.encode(encoding), encoding)
    except (LookupError, ValueError):  # what the text says of itself is wrong; `check` says so where it cannot read it
        return data, "utf-8"

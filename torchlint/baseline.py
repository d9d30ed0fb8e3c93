"""The findings that a project knows of and lives with: a file that keeps their fingerprints, so that only others count.

    {"version": 1, "findings": {"src/train.py": {"TL102": ["5f0c…", …], …}, …}}

Paths go from the folder of that file, with slashes. A finding is known again by its rule and the text of its row (`torchlint.fingerprint`),
wherever in its file that row has moved.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from torchlint.diagnostic import Diagnostic
from torchlint.fingerprint import fingerprints
from torchlint.settings import SettingsError

VERSION = 1
_Findings = dict[str, dict[str, list[str]]]


def read(file: Path) -> Mapping[str, frozenset[str]]:
    """The fingerprints that are known, by file. Raises `SettingsError` for what is no baseline."""
    try:
        changed = file.stat().st_mtime_ns
    except OSError:
        changed = 0  # whatever is wrong is said where it is read
    return _known(file.absolute(), changed)


@lru_cache(maxsize=4)
def _known(file: Path, changed: int) -> Mapping[str, frozenset[str]]:
    """Read once for all files of a run."""
    return {path: frozenset(mark for marks in by_rule.values() for mark in marks) for path, by_rule in _read(file).items()}


def key(file: Path, path: Path) -> str:
    """How a checked file is called in a baseline."""
    try:
        return Path(os.path.relpath(path.absolute(), file.absolute().parent)).as_posix()
    except ValueError:  # on another drive
        return path.absolute().as_posix()


def unknown(text: str, found: list[Diagnostic], known: frozenset[str]) -> list[Diagnostic]:
    """The findings that are not known. What the tool says of itself always counts."""
    marked = zip(found, fingerprints("", text, found), strict=True)
    return [each for each, mark in marked if mark not in known or each.is_internal_error]


def write(file: Path, reports: Iterable[tuple[Path, str, list[Diagnostic]]]) -> None:
    """Keep what was found in these files: path, text and findings of each. What is kept of other files that still exist stays."""
    findings = _read(file) if file.exists() else {}
    findings = {path: by_rule for path, by_rule in findings.items() if (file.absolute().parent / path).exists()}
    for path, text, found in reports:
        by_rule: dict[str, list[str]] = {}
        for each, mark in zip(found, fingerprints("", text.removeprefix("\ufeff"), found), strict=True):
            if not each.is_internal_error:
                by_rule.setdefault(each.code, []).append(mark)
        findings.pop(key(file, path), None)
        if by_rule:
            findings[key(file, path)] = by_rule
    content = json.dumps({"version": VERSION, "findings": findings}, indent=1, sort_keys=True) + "\n"
    from torchlint.sources import writing

    try:
        writing.save(file, content.encode())
    except writing.NotWritten as error:
        raise SettingsError(f"{file}: cannot be written: {error}") from error


def _read(file: Path) -> _Findings:
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{file}: there is no such baseline; --write-baseline makes it") from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{file}: is no baseline: {error}") from error
    findings = document.get("findings") if isinstance(document, dict) and document.get("version") == VERSION else None
    if not isinstance(findings, dict) or not all(map(_is_valid, findings.values())):
        raise SettingsError(f"{file}: is no baseline of this version of torchlint; --write-baseline makes one anew")
    return findings


def _is_valid(by_rule: Any) -> bool:
    if not isinstance(by_rule, dict):
        return False
    return all(isinstance(marks, list) and all(isinstance(mark, str) for mark in marks) for marks in by_rule.values())

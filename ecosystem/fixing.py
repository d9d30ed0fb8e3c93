"""What fixing does to copies of the repositories: everything must still compile, and fixing again must change nothing."""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ecosystem.linting import child, keep, results_folder
from ecosystem.mirror import Tree, sources
from ecosystem.pins import Pin
from torchlint.sources.kinds import NOTEBOOK
from torchlint.sources.notebooks import Notebook
from torchlint.sources.reading import Undecodable

LEVELS = ("safe", "unsafe")
"""`--fix`, and `--fix --unsafe-fixes`."""
_AROUND = 3


@dataclass(slots=True)
class Hunk:
    path: str
    rules: list[str]
    """What was fixed in its file."""
    text: str


@dataclass(slots=True)
class Fixes:
    """What came of fixing one repository at one level."""

    fixed: dict[str, int] = field(default_factory=dict)
    """Fixes by rule."""
    broken: list[str] = field(default_factory=list)
    """Files that compiled before."""
    unstable: list[str] = field(default_factory=list)
    """Files that a second run changed again."""
    problems: list[str] = field(default_factory=list)
    """Time-outs, internal errors, files that could not be written."""
    hunks: list[Hunk] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not (self.broken or self.unstable or self.problems)


def fix(pin: Pin, tree: Tree, level: str, rules: Sequence[str], cache_folder: Path, timeout: float) -> Fixes:
    kept = results_folder(cache_folder, "fix") / f"{pin.folder}@{pin.commit} {' '.join((level, *rules))}.json"
    if kept.exists():
        said = json.loads(kept.read_text(encoding="utf-8"))
        return Fixes(**{**said, "hunks": [Hunk(**each) for each in said["hunks"]]})
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "tree"
        shutil.copytree(tree.root, copy)
        try:
            fixes = _fix(tree.root, copy, level, rules, timeout)
        except (subprocess.TimeoutExpired, _Failed) as error:
            return Fixes(problems=[f"timed out after {timeout:.0f} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)])
    keep(kept, asdict(fixes))
    return fixes


class _Failed(Exception):
    """The process that fixes died."""


def _fix(before: Path, copy: Path, level: str, rules: Sequence[str], timeout: float) -> Fixes:
    fixed, problems = _run(copy, level, rules, timeout)
    fixes = Fixes(dict(sorted(Counter(code for codes in fixed.values() for code in codes).items())), problems=problems)
    once = _contents(copy)
    for path, data in _contents(before).items():
        if once[path] != data:
            codes = sorted(set(fixed.get(path, ())))
            fixes.hunks += [Hunk(path, codes, text) for text in hunks(data, once[path])]
            if _compiles(path, data) and not _compiles(path, once[path]):
                fixes.broken.append(path)
    if not fixed and not fixes.hunks:
        return fixes  # there is nothing that a second run would meet differently
    _, again = _run(copy, level, rules, timeout)
    fixes.problems += [each for each in again if each not in problems]
    twice = _contents(copy)
    fixes.unstable = [path for path, data in once.items() if twice[path] != data]
    return fixes


def _run(copy: Path, level: str, rules: Sequence[str], timeout: float) -> tuple[dict[str, list[str]], list[str]]:
    process = child(["-m", "ecosystem.fixing_child", str(copy), level, *rules], timeout)
    if process.returncode:
        raise _Failed(f"status {process.returncode}: {(process.stderr.strip().splitlines() or ['no output'])[-1]}")
    said = json.loads(process.stdout)
    return said["fixed"], [each.replace(f"{copy}/", "") for each in said["problems"]]


def _contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sources(folder)}


def _compiles(path: str, data: bytes) -> bool:
    """Whether this Python reads it, or all cells of a notebook; nothing is executed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if path.endswith(NOTEBOOK):
                return not Notebook(data).broken
            compile(data, "<file>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, Undecodable):
            return False
    return True


def hunks(before: bytes, after: bytes) -> list[str]:
    """The changes, each with the rows around it."""
    old, new = (data.decode("utf-8", errors="replace").splitlines() for data in (before, after))
    found: list[list[str]] = []
    for line in list(difflib.unified_diff(old, new, lineterm="", n=_AROUND))[2:]:
        if line.startswith("@@"):
            found.append([])
        found[-1].append(line)
    return ["\n".join(each) for each in found]

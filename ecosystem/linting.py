"""What torchlint of this checkout finds in a repository, as a user who runs `torchlint check` in it would see it.

Each repository is a child process with a time-out, and its result is kept until torchlint's sources or the pin change: a run
that was broken off goes on where it stopped, and one of which nothing changed only reads.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from ecosystem.mirror import SUFFIXES, Tree, Unavailable, tree
from ecosystem.pins import Pin

ROOT = Path(__file__).parents[1]
UNCONFIGURED = Path(__file__).with_name("unconfigured.toml")
"""A configuration that says nothing: a repository's own one is not read, while its dependencies are."""
DONE, TIMED_OUT, FAILED, ABSENT = "done", "timed out", "failed", "absent"
_KEPT = 30
"""States of torchlint's sources whose results are kept."""
_KEPT_FIELDS = ("outcome", "detail", "problems", "seconds")


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    path: str
    line: int
    """Of the file, which in a notebook is JSON."""
    mark: str
    """Of the line's text, see `mark`."""
    message: str
    fix: str | None
    """How far its fix may go: `safe`, `unsafe` or `display`."""


@dataclass(frozen=True, slots=True)
class Result:
    pin: Pin
    outcome: str
    detail: str = ""
    """Why it was not linted."""
    findings: tuple[Finding, ...] = ()
    """Sorted by path, line and rule. Several findings of one rule on one line are one place, read once."""
    problems: tuple[str, ...] = ()
    """What torchlint said besides: files that it could not read."""
    tree: Tree | None = None
    seconds: float = 0.0

    @property
    def is_done(self) -> bool:
        return self.outcome == DONE


def mark(lines: Sequence[str], line: int) -> str:
    """What a line's text is told by, whatever its indentation and number; empty if there is no such line."""
    return hashlib.sha256(lines[line - 1].strip().encode()).hexdigest()[:8] if 0 < line <= len(lines) else ""


@cache
def digest() -> str:
    """Of everything that decides what is found: torchlint's own sources, what parses for it, and which files it is given."""
    total = hashlib.sha256(f"{platform.python_version()} {version('libcst')} {SUFFIXES}".encode())
    for file in sorted((ROOT / "torchlint").rglob("*.py")):
        total.update(f"{file.relative_to(ROOT).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def lint_all(
    pins: Sequence[Pin],
    directories: dict[str, Path],
    cache_folder: Path,
    *,
    jobs: int,
    timeout: float,
    done: Callable[[Result], None],
) -> list[Result]:
    """The results in the order of the pins; `done` hears of each when it is there."""
    results: dict[Pin, Result] = {}
    kept = results_folder(cache_folder, "lint")
    with ThreadPoolExecutor(jobs) as pool:
        try:
            futures = [pool.submit(_lint, pin, directories.get(pin.repository), cache_folder, kept, timeout) for pin in pins]
            for future in as_completed(futures):
                result = future.result()
                results[result.pin] = result
                done(result)
        except BaseException:
            pool.shutdown(cancel_futures=True)  # what is being linted is finished and kept, nothing else is begun
            raise
    return [results[pin] for pin in pins]


def _lint(pin: Pin, git: Path | None, cache_folder: Path, kept: Path, timeout: float) -> Result:
    try:
        files = tree(pin, git, cache_folder)
    except Unavailable as error:
        return Result(pin, ABSENT, str(error))
    file = kept / f"{pin.folder}@{pin.commit}.json"
    known = _load(file, pin, files) if file.exists() else None
    if known is not None and (known.outcome != TIMED_OUT or known.seconds >= timeout):
        return known
    result = _run(pin, files, timeout)
    if result.outcome != FAILED:  # that may have been the machine
        keep(file, {name: getattr(result, name) for name in _KEPT_FIELDS} | {"findings": [asdict(each) for each in result.findings]})
    return result


def _load(file: Path, pin: Pin, files: Tree) -> Result:
    said = json.loads(file.read_text(encoding="utf-8"))
    findings = tuple(Finding(**each) for each in said["findings"])
    return Result(pin, said["outcome"], said["detail"], findings, tuple(said["problems"]), files, said["seconds"])


def keep(file: Path, said: object) -> None:
    keep_text(file, json.dumps(said))


def keep_text(file: Path, text: str) -> None:
    """Whole or not at all, whenever the run is broken off."""
    part = file.with_suffix(f".{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, file)


def results_folder(cache_folder: Path, kind: str) -> Path:
    """Where results of torchlint as it is now are kept. Those of long ago are removed."""
    folder = cache_folder / kind / digest()
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.parent.iterdir(), key=lambda each: each.stat().st_mtime)[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def child(arguments: Sequence[str], timeout: float) -> subprocess.CompletedProcess[str]:
    """A Python of this checkout, started in its folder: started in a repository's, it would import the repository's modules."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False)


def _run(pin: Pin, files: Tree, timeout: float) -> Result:
    started = perf_counter()
    # One process each, so that stopping it stops all of it.
    settings = files.root.with_name(UNCONFIGURED.name)  # beside the tree: patterns such as `tests/` hold from a configuration's folder on
    keep_text(settings, UNCONFIGURED.read_text(encoding="utf-8"))
    arguments = ["-m", "torchlint", "check", "--config", str(settings), "--no-cache", "--exit-zero", "--jobs", "1"]
    arguments += ["--output-format", "json", str(files.root)]
    try:
        process = child(arguments, timeout)
    except subprocess.TimeoutExpired:
        return Result(pin, TIMED_OUT, f"after {timeout:.0f} s", tree=files, seconds=timeout)
    seconds = perf_counter() - started
    try:
        entries = json.loads(process.stdout)
    except ValueError:
        reason = process.stderr.strip().splitlines()
        return Result(pin, FAILED, f"status {process.returncode}: {reason[-1] if reason else 'no output'}", tree=files, seconds=seconds)
    texts: dict[str, list[str]] = {}
    found: dict[tuple[str, int, str], Finding] = {}
    for each in entries:
        path = Path(os.path.relpath(each["filename"], files.root)).as_posix()
        line = each["location"]["row"]
        if each["cell"] is not None:
            line = files.row_of_cell(path, each["cell"], line)
        if path not in texts:
            texts[path] = files.lines(path)
        fix = each["fix"]["applicability"] if each["fix"] else None
        finding = Finding(each["code"], path, line, mark(texts[path], line), each["message"], fix)
        found.setdefault((path, line, finding.rule), finding)
    problems = tuple(line.replace(f"{files.root}/", "") for line in process.stderr.splitlines() if line.strip())
    return Result(pin, DONE, "", tuple(found[key] for key in sorted(found)), problems, files, seconds)

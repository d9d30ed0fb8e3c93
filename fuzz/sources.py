"""What torchlint promises of the bytes of a file, by its name: of Python in any encoding, of notebooks and of Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from fuzz import promises
from torchlint.edits import Applicability
from torchlint.run.failure import account
from torchlint.run.one import FileReport, Mode, Task, check_bytes
from torchlint.settings import Settings
from torchlint.sources import kinds
from torchlint.sources.json_cells import Document
from torchlint.sources.markdown import Markdown
from torchlint.sources.reading import Undecodable
from torchlint.syntax import cells

VERSIONS = (None, None, "1.13", "2.0", "2.6")
DRAWN = 2
"""How many of the promises that are held sometimes an input is held to."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file, and the number by which what is asked of it is drawn."""

    name: str
    data: bytes
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that an input breaks."""

    promise: str
    how: str


def broken(given: Input, held: Sequence[str] | None = None) -> Iterator[Broken]:
    """The promises that the input breaks: of all that are drawn for it, or of those that are named."""
    random = Random(given.seed)
    version = random.choice(VERSIONS)
    settings = Settings(torch_version=version) if random.random() < 0.3 else Settings(select=("ALL",), torch_version=version)
    asked: dict[str, Callable[[], Iterator[str]]] = {each.__name__: partial(each, given, settings) for each in _ALWAYS[_kind(given)]}
    try:
        source = kinds.read(given.data, Path(given.name))
    except Undecodable:
        source = None
    if source is not None and not kinds.is_markdown(source):
        text = source.text if random.random() < 0.5 or cells.may_be_in(source.text) else promises.mentioning_everything(source.text)
        trial = promises.Trial(text, settings, random)
        drawn = (*promises.ALWAYS, *random.sample(promises.SOMETIMES, DRAWN))
        asked |= {each.__name__: partial(each, trial) for each in drawn}
    for name, promise in asked.items():
        if held is not None and name not in held:
            continue
        random.seed(f"{given.seed} {name}")
        try:
            wrong = list(promise())
        except Exception as error:  # noqa: BLE001  whatever escapes from the linter is what is looked for
            wrong = [f"raised {account(error)}"]
        yield from (Broken(name, how) for how in wrong)


def _kind(given: Input) -> str:
    return Path(given.name).suffix


def _checked(data: bytes, given: Input, settings: Settings, mode: Mode) -> tuple[FileReport, bytes]:
    """The report, and what the file becomes."""
    path = Path(given.name)
    report = check_bytes(data, path, settings, Task(mode, Applicability.UNSAFE, ()))
    if not report.fixed:
        return report, data
    return report, kinds.read(data, path).encode(report.became)


Promise = Callable[[Input, Settings], Iterator[str]]


def a_file_never_fails(given: Input, settings: Settings) -> Iterator[str]:
    """Whatever its bytes are."""
    for mode in [(Mode.FIX, Mode.SUPPRESS, Mode.DIFF)[given.seed % 3]]:
        report, after = _checked(given.data, given, settings, mode)
        yield from (f"{mode.value}: {each.message}" for each in report.diagnostics if each.is_internal_error)
        if mode is Mode.DIFF and bool(report.diff) != (after != given.data):
            yield "the diff is not of what fixing changes"
        for each in report.diagnostics:
            report.place(each.location), report.row(each.location)


def a_notebook_stays_one(given: Input, settings: Settings) -> Iterator[str]:
    for mode in [(Mode.FIX, Mode.SUPPRESS)[given.seed % 2]]:
        report, after = _checked(given.data, given, settings, mode)
        if not report.fixed:
            continue
        if _without_code(json.loads(given.data)) != _without_code(json.loads(after)):
            yield f"{mode.value}: more than code changed"
        if _around(given.data) != _around(after):
            yield f"{mode.value}: what is not code is written otherwise"
        again, twice = _checked(after, given, settings, mode)
        if twice != after:
            yield f"{mode.value}: a second run changes it again: {', '.join(each.code for each in again.fixed)}"


def _without_code(content: Any) -> Any:
    for cell in content["cells"]:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source")
            cell["source"] = type(source).__name__
    return content


def _around(data: bytes) -> list[str]:
    """The pieces of the JSON between the sources of its cells with code."""
    text = data.decode()
    document = Document(text.removeprefix("\ufeff"))
    pieces, place = [], 0
    for cell in document.cells or ():
        if cell.kind == "code" and cell.span != (0, 0):
            pieces.append(document.text[place : cell.span[0]])
            place = cell.span[1]
    return [*pieces, document.text[place:], text[:1]]


def a_document_changes_in_its_blocks_alone(given: Input, settings: Settings) -> Iterator[str]:
    for mode in [(Mode.FIX, Mode.SUPPRESS)[given.seed % 2]]:
        report, after = _checked(given.data, given, settings, mode)
        if not report.fixed:
            continue
        if _prose(given.data) != _prose(after):
            yield f"{mode.value}: more than blocks of Python changed"
        again, twice = _checked(after, given, settings, mode)
        if twice != after:
            yield f"{mode.value}: a second run changes it again: {', '.join(each.code for each in again.fixed)}"


def _prose(data: bytes) -> list[str]:
    document = Markdown(data)
    pieces, place = [], 0
    for block in document.blocks:
        pieces.append(document.text[place : block.start])
        place = block.end
    return [*pieces, document.text[place:]]


def encodings_are_kept(given: Input, settings: Settings) -> Iterator[str]:
    """A text that was read from bytes gives them back, or is not written at all."""
    try:
        source = kinds.read(given.data, Path(given.name))
    except Undecodable:
        return
    if source.encode(source.text) != given.data and source.encoding.replace("_", "-").lower() in (
        "utf-8",
        "ascii",
        "latin-1",
        "iso-8859-1",
    ):
        yield f"the bytes do not come back from {source.encoding}"


_ALWAYS: dict[str, tuple[Promise, ...]] = {
    ".py": (a_file_never_fails, encodings_are_kept),
    ".ipynb": (a_file_never_fails, encodings_are_kept, a_notebook_stays_one),
    ".md": (a_file_never_fails, encodings_are_kept, a_document_changes_in_its_blocks_alone),
}


def of_files() -> list[Promise]:
    """The promises about files, of whatever kind, and not about the text in them."""
    return list(dict.fromkeys(promise for some in _ALWAYS.values() for promise in some))

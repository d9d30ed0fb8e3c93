"""From what was asked for to what is to be done: what is read, by what texts are judged, and what tells this run from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from torchlint import __version__
from torchlint.corpus import CorpusError, sources
from torchlint.corpus.judging import Standards
from torchlint.corpus.record import Record
from torchlint.corpus.sources import ROW_HASH, Listing
from torchlint.corpus.tables import Reading
from torchlint.edits import Applicability
from torchlint.settings import Configuration, Settings

_TEXT = "content"


class Options(NamedTuple):
    """What was asked for, beyond what configuration files can say as well."""

    output: str
    text_column: str | None
    path_column: str | None
    id_column: str | None
    fix: bool
    unsafe: bool
    max_bytes: int
    timeout: float
    rows_per_block: int
    concurrency: int | None
    address: str | None

    @property
    def applicable(self) -> Applicability:
        return Applicability.UNSAFE if self.unsafe else Applicability.SAFE


@dataclass(frozen=True)
class Plan:
    options: Options
    listing: Listing
    reading: Reading
    standards: Standards
    record: Record
    folder: str
    """Where results are written, as Ray is to be told of it: an absolute path, or an address."""
    row: str
    """The column that tells rows apart."""
    problems: Sequence[str] = ()
    """What is left out, one line each."""

    @property
    def settings(self) -> list[Settings]:
        return [*self.standards.settings.values(), self.standards.others]

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same where a run goes on."""
        reading, options = self.reading, self.options
        return {
            "torchlint": __version__,
            "sources": {"files": len(self.listing.files), "digest": self.listing.digest},
            "columns": {"text": reading.text, "path": reading.path, "carried": list(reading.carried)},
            "fixes": {"applied": options.fix, "unsafe": options.unsafe},
            "settings": self.standards.digest,
            "limits": {"bytes": reading.max_bytes, "seconds": reading.timeout},
        }


def prepared(names: Sequence[str], options: Options, configuration: Configuration) -> Plan:
    """Raises `CorpusError` for what cannot be read or written."""
    filesystem, folder = sources.located(options.output)
    record = Record(options.output, filesystem, folder)
    fix = options.applicable if options.fix else None
    here = Path.cwd()
    target = options.output if "://" in options.output else folder
    if options.text_column is not None or sources.is_data_set(names):
        listing = sources.parquet(names)
        text = options.text_column or _TEXT
        path = sources.path_column(listing, text=text, path=options.path_column, id_column=options.id_column)
        carried = tuple(dict.fromkeys(each for each in (ROW_HASH, options.id_column, path) if each is not None))
        reading = Reading(text, path, carried, options.max_bytes, options.timeout)
        standards = Standards({}, configuration.settings(here), str(here), fix)
        return Plan(options, listing, reading, standards, record, target, ROW_HASH)
    if options.path_column is not None or options.id_column is not None:
        raise CorpusError("--path-column and --id-column go with a data set: a folder of code has no columns")
    code = sources.code(names, configuration)
    reading = Reading(None, sources.PATH, (sources.PATH,), options.max_bytes, options.timeout)
    standards = Standards(code.settings, configuration.settings(here), str(here), fix)
    return Plan(options, code.listing, reading, standards, record, target, sources.PATH, code.problems)

"""Texts and findings as columns: what the actors of a run are, what they make of a batch, and what is counted afterwards.

Two tables come of a run. `files` has a row for each text, with its findings in it, so that a row is all there is to a text and is written
or not; `findings` has a row for each finding, and is made from the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from torchlint.corpus.isolated import Isolated
from torchlint.corpus.judging import Standards, Verdict, as_file, is_worth_it
from torchlint.edits import Applicability

DIAGNOSTICS = "diagnostics"
_PLACE = pa.struct([("row", pa.int32()), ("column", pa.int32())])
_SPAN = [("cell", pa.int32()), ("location", _PLACE), ("end_location", _PLACE)]
_FIX = pa.struct(
    [
        ("applicability", pa.string()),
        ("effect", pa.string()),
        ("message", pa.string()),
        ("edits", pa.list_(pa.struct([("content", pa.string()), *_SPAN]))),
    ]
)
FINDING = pa.struct(
    [
        ("code", pa.string()),
        ("name", pa.string()),
        ("message", pa.string()),
        ("severity", pa.string()),
        ("url", pa.string()),
        *_SPAN,
        ("noqa_row", pa.int32()),
        ("related", pa.list_(pa.struct([("message", pa.string()), *_SPAN]))),
        ("fix", _FIX),
        ("alternatives", pa.list_(_FIX)),
    ]
)
"""A finding, as the JSON format has it but for the file's name, which is a matter of the row."""
RESULTS = ("findings", "error", "fixes", "fixed", DIAGNOSTICS)
"""The columns that are made here. None that is carried along may have their names."""


class Reading(NamedTuple):
    """Where a row has its text, and what else of it is kept."""

    text: str | None
    """The column that holds it; None where the file at the path does."""
    path: str | None
    carried: tuple[str, ...]
    """The columns that are in both tables as they are in the source, the one that tells rows apart among them."""
    max_bytes: int
    timeout: float


class Judge:
    """An actor: what it needs to know is loaded once, for all batches that it is given."""

    def __init__(self, reading: Reading, standards: Standards) -> None:
        self._reading = reading
        self._fix = standards.fix is not None
        self._process = Isolated(standards, reading.timeout)

    def __call__(self, batch: pa.Table) -> pa.Table:
        verdicts = [self._verdict(*each) for each in self._texts(batch)]
        columns = {name: batch[name] for name in self._reading.carried}
        columns["findings"] = pa.array([len(each.diagnostics) for each in verdicts], pa.int32())
        columns["error"] = pa.array([each.error for each in verdicts], pa.string())
        if self._fix:
            columns["fixes"] = pa.array([each.fixes for each in verdicts], pa.int32())
            kind = pa.binary() if self._reading.text is None else _value_type(batch.schema.field(self._reading.text).type)
            columns["fixed"] = pa.array([each.fixed for each in verdicts], pa.binary()).cast(kind)
        columns[DIAGNOSTICS] = pa.array([list(each.diagnostics) for each in verdicts], pa.list_(FINDING))
        return pa.table(columns)

    def _texts(self, batch: pa.Table) -> Iterator[tuple[bytes | None, str | None, str]]:
        """The bytes, the path, and the encoding of all texts where they are no files' bytes."""
        reading = self._reading
        paths: list[str | None] = [None] * len(batch)
        if reading.path is not None:
            paths = [None if each is None else each.decode("utf-8", "replace") for each in _bytes(batch[reading.path])]
        texts: list[bytes | None] = [None] * len(batch)
        encoding = ""
        if reading.text is not None:
            texts = _bytes(batch[reading.text])
            encoding = "" if _is_binary(_value_type(batch.schema.field(reading.text).type)) else "utf-8"
        for text, path in zip(texts, paths, strict=True):
            yield text, path, encoding

    def _verdict(self, data: bytes | None, path: str | None, encoding: str) -> Verdict:
        largest = self._reading.max_bytes
        if self._reading.text is None and path is not None:
            try:
                data = _read(Path(path), largest)
            except OSError as error:
                return Verdict(error=f"cannot be read: {error.strerror}")
        if data is None:
            return Verdict(error="there is no text")
        if len(data) > largest:
            return Verdict(error=f"is larger than {largest} bytes")
        if not is_worth_it(data):
            return Verdict()
        if not encoding:
            return self._process.judge(data, path)
        file, written = as_file(data, path)
        verdict = self._process.judge(file, path)
        return verdict if verdict.fixed is None else verdict._replace(fixed=verdict.fixed.decode(written).encode(encoding))


def _read(path: Path, largest: int) -> bytes:
    """The file, or as much of it as shows that it is too large."""
    with path.open("rb") as stream:
        return stream.read(largest + 1)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type can hold texts."""
    value = _value_type(kind)
    return _is_binary(value) or pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value)


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _bytes(column: pa.ChunkedArray) -> list[bytes | None]:
    """The values as bytes: text that is not UTF-8 is no reason to stop."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    values: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return values


# -- what is made of the files ----------------------------------------------------------------------------------------------------------


def exploded(batch: pa.Table, carried: tuple[str, ...]) -> pa.Table:
    """A row for each finding."""
    lists = batch[DIAGNOSTICS].combine_chunks().cast(pa.list_(FINDING))
    rows = pc.list_parent_indices(lists)
    found = pc.list_flatten(lists)
    columns = {name: batch[name].take(rows) for name in carried}
    return pa.table({**columns, **{field.name: pc.struct_field(found, [field.name]) for field in FINDING}})


_COUNTED = pa.schema(
    [("kind", pa.string()), ("code", pa.string()), ("name", pa.string()), ("count", pa.int64()), ("fixable_count", pa.int64())]
)
_TOTALS = ("texts", "findings", "texts_with_findings", "errors", "fixes", "texts_fixed")


def counted(batch: pa.Table, least: Applicability) -> pa.Table:
    """What is to be counted of a batch: findings by rule, and what there is of everything else."""
    found = pc.list_flatten(batch[DIAGNOSTICS].combine_chunks().cast(pa.list_(FINDING)))
    levels = {each.label for each in Applicability if each >= least}
    codes, names = (pc.struct_field(found, [name]).to_pylist() for name in ("code", "name"))
    is_fixable = [each in levels for each in pc.struct_field(found, ["fix", "applicability"]).to_pylist()]
    counts = Counter(zip(codes, names, strict=True))
    fixable = Counter(code for code, applies in zip(codes, is_fixable, strict=True) if applies)
    rows: list[dict[str, Any]] = [{"kind": "rule", "code": code, "name": name, "count": counts[code, name]} for code, name in counts]
    for row in rows:
        row["fixable_count"] = fixable[row["code"]]
    fixes = batch["fixes"].to_pylist() if "fixes" in batch.column_names else []
    each_has = batch["findings"].to_pylist()
    errors = len(batch) - batch["error"].null_count
    totals = (len(batch), sum(each_has), sum(map(bool, each_has)), errors, sum(fixes), sum(map(bool, fixes)))
    rows += [{"kind": "total", "code": name, "name": name, "count": number} for name, number in zip(_TOTALS, totals, strict=True)]
    return pa.Table.from_pylist(rows, _COUNTED)


def added_up(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The counts of all batches together: rules as `torchlint.output.statistics` ranks them, and the rest by name."""
    from torchlint.output.statistics import ranked

    counts: Counter[tuple[str, str]] = Counter()
    fixable: Counter[str] = Counter()
    totals: Counter[str] = Counter(dict.fromkeys(_TOTALS, 0))
    for row in rows:
        if row["kind"] == "rule":
            counts[row["code"], row["name"]] += row["count"]
            fixable[row["code"]] += row["fixable_count"]
        else:
            totals[row["code"]] += row["count"]
    return {"rules": ranked(counts, fixable), "totals": dict(totals)}

"""What kind of numbers a tensor holds, where the code decides it: by the type that it spells, or by what made the tensor."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.dtypes import Numbers, numbers
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.numerics._plain import plain_number
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Value

_OF_INDICES = frozenset("argmax argmin argsort argwhere bincount bucketize count_nonzero nonzero randint randperm searchsorted".split())
"""Operations that yield int64 unless they are told otherwise."""
_OF_TRUTHS = frozenset(
    """eq ne lt le gt ge isnan isinf isfinite isclose isin logical_and logical_or logical_not logical_xor all any
    signbit""".split()
)
"""Operations that yield truth values."""
_AS_WRITTEN = frozenset({"tensor", "as_tensor", "full", "arange"})
"""Functions that take the type from the numbers that they are given."""
_OF_DATA = frozenset({"tensor", "as_tensor", "from_numpy"})
_OF_VALUES = frozenset(
    """add sub mul remainder floor_divide max min sum prod cumsum clamp index_select gather view reshape flatten unsqueeze squeeze
    expand""".split()
)
"""Operations that yield whole numbers of whole numbers."""
_CASTS = frozenset("float double half bfloat16 to type".split())
_DEEP = 6


def numbers_of(file: FileAnalysis, value: Value, depth: int = _DEEP) -> Numbers | None:
    """What a tensor holds; None where that is not certain."""
    if not value.is_tensor or value.is_joined or depth == 0:
        return None
    if value.dtype is not None:
        return numbers(value.dtype)
    made = value.node
    if value.op in _OF_INDICES and isinstance(made, cst.Call) and not _is_told(made):
        return Numbers.INTEGER
    if value.op in _OF_TRUTHS and isinstance(made, cst.Call):
        return Numbers.BOOL
    if value.op in _AS_WRITTEN and isinstance(made, cst.Call) and made.args and not _is_told(made):
        given = made.args[1:2] if value.op == "full" else made.args if value.op == "arange" else made.args[:1]
        return _kind_of_all([each for arg in given for each in _kinds(file, arg.value)])
    if value.op in _OF_VALUES and value.sources and not (isinstance(made, cst.Call) and _is_told(made)):
        kinds = {_kind_of_part(file, each, depth) for each in value.sources}
        return Numbers.INTEGER if kinds and kinds <= {Numbers.INTEGER, Numbers.BOOL} else None
    if isinstance(made, cst.Subscript) and value.sources:
        return numbers_of(file, value.sources[0], depth - 1)
    return None


def counts(file: FileAnalysis, value: Value, depth: int = _DEEP) -> bool:
    """Whether a tensor holds whole numbers, as far as anybody can tell: of integers, or of what is converted to floats here."""
    if value.kind is Kind.NUMBER:
        return True
    if not value.is_tensor or value.is_joined or value.has_graph or depth == 0:
        return False
    if numbers_of(file, value) in (Numbers.INTEGER, Numbers.BOOL):
        return True
    if value.op in _CASTS and value.sources and value.dtype is not None:
        return value.sources[0].dtype is None or counts(file, value.sources[0], depth - 1)
    if value.op in _OF_DATA and value.dtype is not None:
        return True
    return value.op in _OF_VALUES and bool(value.sources) and all(counts(file, each, depth - 1) for each in value.sources)


def _kind_of_part(file: FileAnalysis, value: Value, depth: int) -> Numbers | None:
    if value.kind is Kind.NUMBER:
        return Numbers.INTEGER if isinstance(value.node, cst.Integer) else None
    return numbers_of(file, value, depth - 1)


def _is_told(call: cst.Call) -> bool:
    """Whether a call may name the type: by keyword, or somewhere in `**`."""
    return any(arg.star == "**" or arg.keyword is not None and arg.keyword.value in ("dtype", "out") for arg in call.args)


def _kinds(file: FileAnalysis, given: Node) -> Iterator[type | None]:
    """The types of the numbers in a list, or of the one number."""
    if isinstance(given, (cst.List, cst.Tuple)):
        for each in given.elements:
            yield from _kinds(file, each.value)
    elif isinstance(given, cst.Name) and given.value in ("True", "False"):
        yield bool
    else:
        yield plain_number(file, given)


def _kind_of_all(kinds: list[type | None]) -> Numbers | None:
    if not kinds or None in kinds:
        return None
    return Numbers.FLOATING if float in kinds else Numbers.INTEGER if int in kinds else Numbers.BOOL

"""Tensors of floats compared with `==`."""

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.dtypes import Numbers
from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.numerics._numbers import numbers_of
from torchlint.values.value import Value

_EXACT = frozenset("round floor ceil trunc sign zeros ones full eye clone detach relu clamp max min amax amin where to cpu".split())
"""Operations whose results are whole numbers, or are handed on as they are."""


@rule("TL621", severity=INFO, default=False, mentions=("==", "!="))
def check(file: FileModel) -> Iterator[Finding]:
    for asked in file.nodes(cst.Comparison):
        if len(asked.comparisons) != 1 or not isinstance(asked.comparisons[0].operator, (cst.Equal, cst.NotEqual)):
            continue
        sides = [file.value(asked.left), file.value(asked.comparisons[0].comparator)]
        if not all(_is_computed(file, each) for each in sides):
            continue  # a marker such as 0, a whole number, or nothing that was rounded
        yield Finding(
            asked,
            "both tensors hold rounded floats: that two of them are equal is chance",
            help="use `torch.isclose`, or `torch.allclose` for all of them",
        )


def _is_computed(file: FileModel, value: Value) -> bool:
    """Whether a tensor of floats was computed, by an operation that rounds."""
    if not value.is_tensor or value.is_joined or value.op is None or value.op in _EXACT:
        return False
    return value.has_graph or numbers_of(file.analysis, value) is Numbers.FLOATING

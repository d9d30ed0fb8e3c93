"""The logarithm of something that can be 0."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule

_REACHING_ZERO = frozenset(
    "relu abs square sigmoid norm bincount count_nonzero histc threshold hardtanh clamp_min_ relu6 hardsigmoid".split()
)
"""Operations that yield 0, be it for a whole range of what they are given or by rounding."""


@rule("TL620", severity=INFO, default=False, mentions=("log(", "log2(", "log10("))
def check(file: FileModel) -> Iterator[Finding]:
    for use in file.operations("log", "log2", "log10"):
        given = use.value("input")
        if given is None or not given.is_tensor or given.is_joined or given.op not in _REACHING_ZERO:
            continue  # clamped, with something added, or not known to reach 0
        yield Finding(
            use.call,
            f"what `{given.op}` returns can be 0, and its logarithm is -inf",
            help="keep it away from 0 (`x.clamp(min=1e-8)`), or use a function that takes the logarithm itself, such as `logsigmoid`",
        )

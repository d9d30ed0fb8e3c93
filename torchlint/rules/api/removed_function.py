"""A function that torch has no more, or that does nothing but raise."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, Finding, rule
from torchlint.rules.api._changed import findings, removed
from torchlint.rules.api._iterators import old_next

_WORDS = (
    *("solve", "symeig", "eig", "lstsq", "matrix_rank", "fft", "stft", "_six", "load_lua", "utils.ffi"),
    *(".next(", "Scale", "RandomSizedCrop"),
)


@rule("TL801", severity=ERROR, fix=SAFE, effect=REPAIRS, aliases=("TOR001", "TOR004"), mentions=_WORDS)
def check(file: FileModel) -> Iterator[Finding]:
    yield from findings(file.analysis, removed)
    yield from old_next(file.analysis)

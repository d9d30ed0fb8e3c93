"""A function or class of torch that something else has replaced."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, WARNING, Finding, rule
from torchlint.rules.api._changed import deprecated, findings

_WORDS = (
    *("ger", "norm", "qr", "cholesky", "chain_matmul", "lu", "triangular_solve", "svd", "init", "upsample", "Upsampling", "NLLLoss2d"),
    *("DistributedDataParallelCPU", "assert_allclose", "set_default_tensor_type", "sdp_kernel", "script", "memory_cached", "impl_abstract"),
)


@rule("TL802", severity=WARNING, fix=SAFE, effect=KEEPS, aliases=("TOR101", "TOR103"), mentions=_WORDS)
def check(file: FileModel) -> Iterator[Finding]:
    yield from findings(file.analysis, deprecated)

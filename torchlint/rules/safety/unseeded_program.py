"""A script that trains and never seeds torch."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.safety._scripts import unseeded


@rule("TL904", severity=INFO, default=False, mentions=("__main__",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    entry = unseeded(file.analysis)
    if entry is not None:
        yield Finding(
            entry.test,
            "nothing seeds torch: each run starts from other weights and sees its samples in another order",
            help="call `torch.manual_seed(seed)` first of all",
        )

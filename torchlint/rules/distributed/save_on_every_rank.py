"""A checkpoint that every rank writes to the same path."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.distributed._saving import written_by_all


@rule("TL709", severity=INFO, default=False, mentions=("DistributedDataParallel",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for call in written_by_all(file.analysis):
        yield Finding(
            call,
            "every rank writes this file, all at once: what is read later may be a mixture, or cut off",
            help="write it under `if torch.distributed.get_rank() == 0:`: all ranks hold the same weights",
        )

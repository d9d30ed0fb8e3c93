"""A data loader that loads in the process that trains."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.data._contents import is_in_memory
from torchlint.rules.data._loaders import loaders


@rule("TL501", severity=INFO, default=False, aliases=("TOR401",), mentions=("DataLoader",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for loader in loaders(file.analysis):
        if loader.setting("num_workers") == 0 and not is_in_memory(loader):
            yield Finding(
                loader["num_workers"] or loader.call,
                "this loader has no workers: whatever computes on its batches waits while each is loaded",
                help="try `num_workers` with the number of processors that are free",
            )

"""Data that no sampler shares out among the ranks: each of them trains on all of it."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import WARNING, Finding, rule
from torchlint.rules.distributed._loading import repeated


@rule("TL704", severity=WARNING, mentions=("DistributedDataParallel",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    wraps = list(file.calls("torch.nn.parallel.DistributedDataParallel"))
    for loader, dataset in repeated(file.analysis, wraps):
        name = " ".join(file.source(dataset).split())
        yield Finding(
            loader,
            f"every rank trains on all of `{name}`: an epoch takes as long as on one, and goes through the data once per rank",
            help=f"give the loader `sampler=DistributedSampler({name})` instead of `shuffle`, and call `set_epoch` in every epoch",
            related=((wraps[0], "the model is trained by several processes"),),
        )

"""Gradients that are summed up over several batches, and sent around after each of them."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.distributed._wrapping import synchronized


@rule("TL702", severity=INFO, default=False, mentions=("DistributedDataParallel",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for backward, step in synchronized(file.analysis):
        yield Finding(
            backward.node,
            "every backward averages the gradients over all ranks, though one step uses the sum of several",
            help="run all but the last of them, and their forward passes, under `with model.no_sync():`",
            related=((step.node, "used here"),),
        )

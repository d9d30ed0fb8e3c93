"""An optimizer without a learning rate, or a loader without a batch size."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.training._settings import without_batch_size, without_rate


@rule("TL226", severity=INFO, default=False, mentions=("optim", "DataLoader"))
def check(file: FileModel) -> Iterator[Finding]:
    for call in without_rate(file.analysis):
        yield Finding(call, "the learning rate is left to torch: it decides more than any other setting", help="choose `lr`, and say so")
    for call in without_batch_size(file.analysis):
        yield Finding(call, "the batch size is left to torch: each batch holds one sample", help="choose `batch_size`, and say so")

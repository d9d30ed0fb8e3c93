"""Batch normalisation in a frozen module that is in train mode: it still changes."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.training._frozen_norms import frozen_norms


@rule("TL224", severity=INFO, default=False, mentions=("requires_grad",))
def check(file: FileModel) -> Iterator[Finding]:
    for found in frozen_norms(file.analysis):
        yield Finding(
            found.frozen,
            "the parameters are frozen, and the statistics of batch normalisation are not: in train mode they follow every batch",
            help="put the layers of batch normalisation into eval mode after each `train()`",
            related=((found.train.node, "put into train mode here", found.train.file),),
        )

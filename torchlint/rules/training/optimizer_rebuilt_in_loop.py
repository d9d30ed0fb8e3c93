"""An optimizer, a scheduler or a DistributedDataParallel that is made anew for every batch."""

from collections.abc import Iterator

import libcst as cst

from torchlint.model import FileModel
from torchlint.model.training import TrainingLoop
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.training._rebuilding import Rebuilt, rebuilt


@rule("TL216", severity=ERROR, mentions=("optim", "DistributedDataParallel"))
def check(file: FileModel) -> Iterator[Finding]:
    for training in file.trainings():
        for each in rebuilt(training):
            yield Finding(each.call, each.message, help="make it once, before the loop", related=_related(file, training, each))


def _related(file: FileModel, training: TrainingLoop, found: Rebuilt) -> tuple[tuple[cst.CSTNode, str], ...]:
    return ((training.node, "for every iteration of this loop"),) if file.is_after(found.call, training.node) else ()

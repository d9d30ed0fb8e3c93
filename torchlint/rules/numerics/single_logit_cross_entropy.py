"""Cross entropy over a single class."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.numerics._activations import RAW
from torchlint.rules.numerics._looked_at import is_only_differentiated
from torchlint.rules.numerics._losses import losses
from torchlint.rules.numerics._ranks import outputs, rank


@rule("TL618", severity=ERROR, mentions=("CrossEntropyLoss", "cross_entropy"))
def check(file: FileModel) -> Iterator[Finding]:
    for loss in losses(file.analysis, "cross_entropy", made_by=RAW):
        made = loss.made
        if not made.is_bare or outputs(made) != 1:
            continue
        dimensions = rank(made.file, made.value)
        if dimensions is not None and dimensions > 2 and made.op in ("linear", "bilinear"):
            continue  # classes lie along the second dimension, and the last one is no choice between classes
        yield Finding(
            loss.given,
            f"`{file.source(loss.given)}` has one output, and cross entropy chooses between classes: the loss is 0 for ever",
            help="use `binary_cross_entropy_with_logits` with one output, or give the last layer an output per class",
            related=loss.related,
            is_for_askers=is_only_differentiated(loss.file, loss.use.call),
        )

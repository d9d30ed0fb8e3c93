"""Sigmoid and binary cross entropy one after the other, where one loss does both and stays exact."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, KEEPS, UNSAFE, Finding, rule
from torchlint.rules.numerics._losses import another_kind, losses, without


@rule("TL603", severity=INFO, default=False, fix=UNSAFE, effect=KEEPS, mentions=("binary_cross_entropy", "BCELoss"))
def check(file: FileModel) -> Iterator[Finding]:
    for loss in losses(file.analysis, "binary_cross_entropy", made_by=("sigmoid",), by_criterion=True):
        raw = without(loss)
        other = another_kind(loss, "torch.nn.functional.binary_cross_entropy_with_logits", "torch.nn.BCEWithLogitsLoss")
        yield Finding(
            loss.given,
            "sigmoid rounds to 0 or 1 for large logits, where this loss is cut off and its gradient is gone",
            help="hand the logits to the loss with logits",
            fix=raw + other if raw is not None and other is not None and not loss.others else None,
            related=loss.related,
        )

"""Sigmoid applied to what a loss is given that applies it itself."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, rule
from torchlint.rules.numerics._losses import losses, without

_LOSSES = ("binary_cross_entropy_with_logits", "multilabel_soft_margin_loss")


@rule("TL602", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("with_logits", "WithLogits", "oft_margin_loss", "oftMarginLoss"))
def check(file: FileModel) -> Iterator[Finding]:
    for loss in losses(file.analysis, *_LOSSES, made_by=("sigmoid",)):
        fix = without(loss)
        yield Finding(
            loss.given,
            f"`{file.source(loss.given)}` went through sigmoid, and the loss applies another one: to it, no probability is below 0.5",
            help="hand over the logits" if fix is not None else "return the logits, and apply sigmoid only where probabilities are wanted",
            fix=fix,
            related=loss.related,
        )

"""Softmax applied to what cross entropy is given, which applies it itself."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, rule
from torchlint.rules.numerics._losses import losses, without


@rule("TL601", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("cross_entropy", "CrossEntropyLoss"))
def check(file: FileModel) -> Iterator[Finding]:
    for loss in losses(file.analysis, "cross_entropy", made_by=("softmax",)):
        fix = without(loss)
        yield Finding(
            loss.given,
            f"`{file.source(loss.given)}` went through softmax, which cross entropy applies again: a perfect prediction out of 5 costs 0.9",
            help="hand over the logits" if fix is not None else "return the logits, and apply softmax only where probabilities are wanted",
            fix=fix,
            related=loss.related,
        )

"""Raw logits, or logarithms of probabilities, given to a loss that expects probabilities."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, rule
from torchlint.rules.numerics._activations import RAW
from torchlint.rules.numerics._losses import another_kind, losses

_LOGARITHMS = frozenset({"log_softmax", "logsigmoid"})
_WITH_LOGITS = ("torch.nn.functional.binary_cross_entropy_with_logits", "torch.nn.BCEWithLogitsLoss")


@rule("TL622", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("binary_cross_entropy", "BCELoss"))
def check(file: FileModel) -> Iterator[Finding]:
    for loss in losses(file.analysis, "binary_cross_entropy", made_by=RAW | _LOGARITHMS, by_criterion=True):
        is_raw = loss.made.op in RAW
        what = "raw logits" if is_raw else "logarithms of probabilities"
        yield Finding(
            loss.given,
            f"`{file.source(loss.given)}` holds {what}, and this loss takes probabilities: what lies outside 0 and 1 raises",
            help="use the loss with logits" if is_raw else "hand over the logits, to the loss with logits",
            fix=another_kind(loss, *_WITH_LOGITS) if is_raw else None,
            related=loss.related,
        )

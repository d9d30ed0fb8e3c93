"""Probabilities or raw logits given to a loss that expects their logarithms."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.facts.operations import Form
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.numerics._activations import RAW
from torchlint.rules.numerics._losses import Loss, another_kind, applied, is_sole, losses, renamed


@rule("TL604", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("nll_loss", "NLLLoss"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for loss in losses(file.analysis, "nll_loss", made_by=RAW | {"softmax"}, by_criterion=True):
        if loss.use.literal("reduction") == "none" or loss.use.may_have("reduce"):
            continue  # picks the probability of each target, for a loss of one's own
        is_raw = loss.made.op in RAW
        what = "are no logarithms of probabilities: the loss falls without limit" if is_raw else "are probabilities, not their logarithms"
        yield Finding(
            loss.given,
            f"`{file.source(loss.given)}` {what}",
            help="use cross entropy, which takes the logits" if is_raw else "apply `log_softmax` in place of softmax",
            fix=another_kind(loss, "torch.nn.functional.cross_entropy", "torch.nn.CrossEntropyLoss") if is_raw else _with_log(file, loss),
            related=loss.related,
        )


def _with_log(file: FileModel, loss: Loss) -> Fix | None:
    call = applied(loss)
    if call is None or call.form is Form.MODULE and not loss.is_nested or loss.others:
        return None
    if not loss.is_nested and not is_sole(file.analysis, loss.made.value):
        return None
    text = renamed(file.analysis, call, "torch.log_softmax", "torch.nn.LogSoftmax")
    return rewrite.replace(call.call, text) if text is not None else None

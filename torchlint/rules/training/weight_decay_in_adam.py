"""Adam with a weight decay that goes through its averages."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.training._settings import decayed_adams


@rule("TL225", severity=INFO, default=False, mentions=("Adam",))
def check(file: FileModel) -> Iterator[Finding]:
    for call, decay in decayed_adams(file.analysis):
        yield Finding(
            call,
            f"a decay of {file.source(decay)} is added to the gradient, which Adam scales: weights with large gradients hardly decay",
            help="use `AdamW`, which takes the decay off the weights, and choose the decay anew",
        )

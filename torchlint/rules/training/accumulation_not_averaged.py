"""Gradients that are added up over several batches, with losses that are not divided by their number."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import REPAIRS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.training._accumulation import undivided


@rule("TL211", severity=WARNING, fix=UNSAFE, effect=REPAIRS, mentions=("backward",))
def check(file: FileModel) -> Iterator[Finding]:
    for window in undivided(file.analysis):
        loss, length = window.loss, file.source(window.length)
        divided = rewrite.replace(loss, f"{file.source(loss)} / {length}") if loss is not None and not window.backward.chain else None
        yield Finding(
            window.backward.node,
            f"the gradients of `{length}` batches are added up: the step is that many times as long as with one batch of their size",
            help=f"divide the loss by `{length}`",
            fix=divided.saying(f"divide the loss by `{length}`") if divided is not None else None,
            related=((window.step.node, "used here, after so many iterations"),),
        )

"""A loss added to a running total together with its graph."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, UNSAFE, WARNING, Finding, rule
from torchlint.rules.autograd._retention import accumulations


@rule("TL102", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=("backward", "eval()", "Module"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for update in accumulations(file.analysis):
        if not update.kept.has_graph:
            continue  # a number, a detached tensor, or made where gradients are off; or nothing is known of it
        if update.is_differentiated:
            continue  # summed on purpose, for one backward over all of it
        if not update.is_spent and (update.escapes or update.is_windowed):
            continue  # whoever gets the total may still differentiate it; or it is started afresh now and then
        fix = rewrite.method(update.carrier, "detach")
        yield Finding(
            update.carrier,
            f"`{file.source(update.target)}` keeps the autograd graph of every iteration alive",
            help="add the detached value",
            fix=fix if update.kept.is_tensor and not update.may_be_nothing else fix.at_most(UNSAFE),
        )

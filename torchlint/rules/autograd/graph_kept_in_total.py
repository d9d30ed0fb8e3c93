"""A loss added to a running total together with its graph."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, UNSAFE, WARNING, Finding, rule
from torchlint.rules.autograd._evidence import evidence
from torchlint.rules.autograd._meters import Handed, handed
from torchlint.rules.autograd._totals import Accumulation, accumulations


@rule("TL102", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=("backward", "eval()", "nn"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    updates: list[Accumulation | Handed] = [*accumulations(file.analysis), *handed(file.analysis, sums=True)]
    for update in updates:
        if not update.kept.has_graph or update.is_doubtful:
            continue  # a number, a detached tensor, or made where gradients are off; or nothing is known of it
        if not update.adds_tensors or not update.is_recorded:
            continue  # an object of the project adds in its own way; a sum made without gradients has no graph
        if update.is_bounded or update.is_differentiated or update.is_fed_back:
            continue  # the total of one accumulation window; summed on purpose, for one backward over all of it; a part of the next loss
        if not update.is_spent and (update.escapes and not update.is_measured or update.is_windowed or update.is_awaited):
            continue  # whoever gets the total may differentiate it, or a later backward does; or it is started afresh
        fix = rewrite.method(update.carrier, "detach")
        yield Finding(
            update.carrier,
            f"`{file.source(update.target)}` keeps the autograd graph of every iteration alive{update.through}",
            help="add the detached value",
            fix=fix if _is_certain(update) else fix.at_most(UNSAFE),
            related=evidence(update),
        )


def _is_certain(update: Accumulation | Handed) -> bool:
    return update.kept.is_tensor and not update.through and not update.may_be_nothing and update.is_confined

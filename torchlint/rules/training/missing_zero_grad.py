"""A training loop that never clears its gradients."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.model.training import receiver
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, Fix, rule
from torchlint.rules.training._carried import Carried, carried
from torchlint.rules.training._receivers import level


@rule("TL201", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("backward",))
def check(file: FileModel) -> Iterator[Finding]:
    reported: set[tuple[cst.CSTNode, cst.CSTNode]] = set()
    for loop in file.trainings():
        found = list(carried(loop))
        weights = list(dict.fromkeys(each.weight for each in found if each.by_hand and each.weight))
        for each in found:
            key = each.node, loop.node if each.by_hand else each.step.node
            if key not in reported:
                reported.add(key)
                yield _finding(file, each, weights)


def _finding(file: FileModel, found: Carried, weights: list[str]) -> Finding:
    named = receiver(found.step, file.analysis)
    name = file.source(named[0]) if named is not None else None
    subject = (
        f"`{name}` steps with" if name else f"`{'` and `'.join(weights)}` follow" if found.by_hand and weights else "are stepped with here"
    )
    return Finding(
        found.node,
        f"the gradients that {subject} are never cleared: every batch adds to those of all batches before it",
        help=f"{f'call `{name}.zero_grad()`' if name else 'clear them'} once per iteration, before `backward`",
        fix=_fix(file, found, weights),
        related=(
            (found.step.node, "stepped here", found.step.file),
            *((each.node, "and these are not cleared either", each.file) for each in found.backwards[1:]),
            *((event.node, why, event.file) for event, why in found.elsewhere),
        ),
    )


def _fix(file: FileModel, found: Carried, weights: list[str]) -> Fix | None:
    named, place = receiver(found.step, file.analysis), found.place()
    if place is None:
        return None
    if found.by_hand:
        text = found.clearing_by_hand(weights)
        return rewrite.insert_before(place, text).at_most(UNSAFE) if text is not None else None
    allowed = level(found.loop, named[0], place) if named is not None else None
    if named is None or allowed is None or not found.is_visible(named[1]):
        return None  # the optimizer has no name where backward is called, or none that could be said twice
    name = file.source(named[0])
    fix = rewrite.insert_before(place, f"{name}.zero_grad()").saying(f"clear the gradients of `{name}` before `backward`")
    return fix.at_most(allowed if found.is_certain else UNSAFE)

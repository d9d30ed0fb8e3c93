"""An evaluation in train mode: dropout drops, and batch normalisation learns from the test data."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, rule
from torchlint.rules.training._modes import depends_on_mode, is_in_train_mode, is_sampled, loading, place_before


@rule("TL205", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("no_grad", "inference_mode"))
def check(file: FileModel) -> Iterator[Finding]:
    reported: set[cst.CSTNode] = set()
    for found in file.evaluations():
        if not found.is_without_graph or found.scope in reported or depends_on_mode(found.module) is not True:
            continue  # not known to be an evaluation, or one whose mode makes no difference
        if not is_in_train_mode(found) or found.mode is None and loading(found) is not None:
            continue  # somebody may have switched it; or it is a loaded model that only predicts
        if is_sampled(found):
            continue  # the same input again and again: what differs is what dropout makes of it
        reported.add(found.scope)
        call = found.calls[0]
        place = place_before(found)
        switch = rewrite.insert_before(place, f"{file.source(call.func)}.eval()") if place is not None else None
        yield Finding(
            call,
            f"`{file.source(call.func)}` is evaluated in train mode: dropout is on, and normalisation follows the batches it is shown",
            help="call `eval()` on the model before it is evaluated, and `train()` before it is trained on",
            fix=switch,
            related=tuple((each.node, "in train mode since here", each.file) for each in found.switched[-1:]),
        )

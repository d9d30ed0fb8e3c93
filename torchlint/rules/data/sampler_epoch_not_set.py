"""A distributed sampler that shuffles in the same way in every epoch."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.data._epochs import Epochs, same_order


@rule("TL504", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("DistributedSampler",))
def check(file: FileModel) -> Iterator[Finding]:
    for found in same_order(file.analysis):
        yield Finding(
            found.sampler,
            "this sampler shuffles alike in every epoch: nobody calls `set_epoch`",
            help="call `set_epoch(epoch)` on it at the start of every epoch",
            fix=_fix(file, found),
            related=((found.loop.iter if isinstance(found.loop, cst.For) else found.loop.test, "the epochs"),),
        )


def _fix(file: FileModel, found: Epochs) -> Fix | None:
    counter, asked = found.counter, found.call
    body = found.loop.body
    if counter is None or asked is None or not isinstance(body, cst.IndentedBlock):
        return None
    sampler, may_be_none = asked
    text = f"{sampler}.set_epoch({counter.value})"
    if may_be_none:
        text = f"if {sampler} is not None:\n    {text}"
    return rewrite.insert_before(body.body[0], text).saying("tell the sampler which epoch it is")

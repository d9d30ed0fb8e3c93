"""A distributed sampler that shuffles in the same way in every epoch."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.data._epochs import Epochs, same_order
from torchlint.rules.data._handed_out import handed_out

_MESSAGE = "this sampler shuffles alike in every epoch: nobody calls `set_epoch`"
_HELP = "call `set_epoch(epoch)` on it at the start of every epoch"


@rule("TL504", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("DistributedSampler",))
def check(file: FileModel) -> Iterator[Finding]:
    reported = set()
    for found in same_order(file.analysis):
        reported.add(found.sampler)
        yield Finding(found.sampler, _MESSAGE, help=_HELP, fix=_fix(file, found), related=((_head(found.loop), "the epochs"),))
    for each in handed_out(file.analysis):
        if each.sampler not in reported:
            epochs = (_head(each.loop), "the epochs")
            yield Finding(each.sampler, _MESSAGE, help=_HELP, related=(epochs if each.file is file.analysis else (*epochs, each.file),))


def _head(loop: cst.For | cst.While) -> cst.BaseExpression:
    return loop.iter if isinstance(loop, cst.For) else loop.test


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

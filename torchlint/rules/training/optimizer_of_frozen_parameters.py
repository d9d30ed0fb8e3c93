"""An optimizer over parameters that are all frozen, so that nothing is learnt."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.training._optimizers import built, freezing


@rule("TL229", severity=ERROR, mentions=("requires_grad",))
def check(file: FileModel) -> Iterator[Finding]:
    for optimizer in built(file.analysis):
        frozen = [freezing(optimizer, module) for module in optimizer.modules]
        if frozen and None not in frozen:
            yield Finding(
                optimizer.call.args[0],
                "all of these parameters are frozen, and nothing thaws them: the optimizer has nothing to train",
                help="give it the parameters that are to be trained",
                related=tuple((each, "frozen here") for each in frozen if each is not None),
            )

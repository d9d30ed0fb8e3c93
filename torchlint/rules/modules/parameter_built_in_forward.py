"""A parameter that `forward` makes anew at each call."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.modules._building import parameters_in_forward


@rule("TL313", severity=ERROR, mentions=("Parameter",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in parameters_in_forward(file.analysis):
        yield Finding(
            call,
            "`forward` makes this parameter each time it runs: no optimizer knows it, and what came before has no graph through it",
            help="make it in `__init__`",
        )

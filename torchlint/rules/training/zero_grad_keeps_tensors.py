"""Gradients that are cleared by writing zeros into them."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import INFO, KEEPS, UNSAFE, Finding, rule
from torchlint.rules.training._settings import zeroed


@rule(
    "TL218",
    severity=INFO,
    fix=UNSAFE,
    effect=KEEPS,
    default=False,
    aliases=("TOR402",),
    mentions=("zero_grad",),
    quiet_in_tests=True,
)
def check(file: FileModel) -> Iterator[Finding]:
    for call, argument in zeroed(file.analysis):
        yield Finding(
            call,
            "zeros are written into all gradients, and the next `backward` adds to them: both take time, and the gradients their memory",
            help="leave `set_to_none=False` out: the gradients are let go, and `backward` makes new ones",
            fix=rewrite.remove_argument(argument).saying("let the gradients go"),
        )

"""A layer with a bias directly before a batch norm, which subtracts it again."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import INFO, KEEPS, UNSAFE, Finding, rule
from torchlint.rules.modules._bias import biased


@rule("TL311", severity=INFO, default=False, fix=UNSAFE, effect=KEEPS, mentions=("BatchNorm",))
def check(file: FileModel) -> Iterator[Finding]:
    for layer, norm in biased(file.analysis):
        yield Finding(
            layer,
            f"the bias of this `{file.source(layer.func)}` has no effect: the batch norm behind it subtracts it with the mean",
            help="pass `bias=False`",
            fix=rewrite.insert_argument(layer, "bias=False"),
            related=((norm, "the norm is here"),),
        )

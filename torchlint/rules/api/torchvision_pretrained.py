"""A model of torchvision asked for with `pretrained`, which is on its way out."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, WARNING, Finding, rule
from torchlint.rules.api._guards import is_guarded
from torchlint.rules.api._pretrained import old

SINCE = (1, 12)
"""The torch of torchvision 0.13, the first that takes `weights`."""


@rule("TL806", severity=WARNING, fix=SAFE, effect=KEEPS, aliases=("TOR201",), mentions=("torchvision",))
def check(file: FileModel) -> Iterator[Finding]:
    for each in old(file.analysis):
        if file.torch(each.call).oldest < SINCE or is_guarded(file.analysis, each.call):
            continue  # the old argument is the only one that all versions take, or the code chooses
        weights = each.weights
        fix = None
        if weights is not None and each.is_replaceable:
            fix = rewrite.replace_argument(each.argument, f"{each.new}={weights}")
        help = f"give `{each.new}=`" + (f" {weights}" if weights is not None else " the weights to load, or None for none")
        yield Finding(
            each.argument, f"`{each.name}` is deprecated since torchvision 0.13 and may be gone in the next version", help=help, fix=fix
        )

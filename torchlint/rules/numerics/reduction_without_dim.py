"""A statistic or a place of the largest element over all of a batch, where one for each example may be meant."""

from collections.abc import Iterator

import libcst as cst

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.numerics._outputs import comes_from_model

_EACH = ("std", "var", "norm", "argmin", "argmax")


@rule("TL615", severity=INFO, default=False, mentions=tuple(f"{name}(" for name in _EACH))
def check(file: FileModel) -> Iterator[Finding]:
    for use in file.operations(*_EACH):
        tensor = use.arguments["input"]
        if tensor is None or use.may_have("dim") or use.arguments.extra or use.arguments.is_spread:
            continue  # the dimension is named, perhaps as `axis`
        value = file.value(tensor)
        if value.scalar or isinstance(tensor, cst.Subscript) or not comes_from_model(value):
            continue  # one example, or not known to be a batch
        yield Finding(
            use.call,
            f"`{use.name}` without a dimension is one result for the whole batch",
            help="name the dimension that is reduced: `dim=1`",
        )

"""A mean, a deviation or a norm of whole numbers or truth values, which raises."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.facts.dtypes import Numbers
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, rule
from torchlint.rules.numerics._numbers import numbers_of

_FRACTIONS = ("mean", "std", "var", "norm", "nanmean", "var_mean", "std_mean")


@rule("TL625", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=tuple(f"{name}(" for name in _FRACTIONS))
def check(file: FileModel) -> Iterator[Finding]:
    for use in file.operations(*_FRACTIONS):
        tensor = use.arguments["input"]
        kind = numbers_of(file.analysis, file.value(tensor)) if tensor is not None else None
        if tensor is None or kind not in (Numbers.INTEGER, Numbers.BOOL):
            continue  # floats, or not known to be anything else
        if use.may_have("dtype"):
            continue  # converted on the way
        what = "whole numbers" if kind is Numbers.INTEGER else "truth values"
        yield Finding(
            use.call,
            f"`{file.source(tensor)}` holds {what}: `{use.name}` raises, since its result would be a fraction",
            help="convert with `.float()` first",
            fix=rewrite.method(tensor, "float"),
        )

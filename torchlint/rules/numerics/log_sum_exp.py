"""The logarithm of a sum of powers of e, which overflows where its result would not."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.model.operations import Use
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.numerics._spelling import called_instead, receiver
from torchlint.rules.numerics._terms import sum_around, terms
from torchlint.values.value import Kind

_LARGEST = frozenset({"max", "amax", "logsumexp", "cummax", "maximum"})


@rule("TL613", severity=WARNING, fix=UNSAFE, effect=KEEPS, aliases=("TOR108",), mentions=("log(",))
def check(file: FileModel) -> Iterator[Finding]:
    for use in file.operations("log"):
        total = _operand(file, use, "sum")
        power = _operand(file, total, "exp") if total is not None else None
        exponent = power.arguments["input"] if power is not None else None
        if total is None or exponent is None:
            continue
        if "dim" not in total.arguments or _may_be_none(file, total) or "dtype" in total.arguments or total.arguments.extra:
            continue  # of all elements, which `logsumexp` does not take without being told their dimensions
        if _is_shifted(file, exponent, use.call):
            continue  # the largest exponent was taken away before
        rest = [file.source(arg) for arg in total.call.args if arg.value is not total.arguments["input"]]
        text = file.source(exponent, whole=True)
        written = called_instead(file, use, "logsumexp", text if use.receiver is None else receiver(text), *rest)
        yield Finding(
            use.call,
            "`log(sum(exp(x)))` overflows to inf where an `x` is above 88, and is -inf where all are below -104",
            help="use `torch.logsumexp`, which takes the largest `x` out first",
            fix=rewrite.replace(use.call, written) if written is not None else None,
        )


def _operand(file: FileModel, use: Use, name: str) -> Use | None:
    """The operation that yields what another one takes, if it is written there."""
    given = use.arguments["input"]
    found = file.operation(given) if isinstance(given, cst.Call) and not use.may_have("out") else None
    return found if found is not None and found.name == name else None


def _may_be_none(file: FileModel, total: Use) -> bool:
    dim = total.value("dim")
    return dim is None or dim.kind is Kind.NONE or dim.optional


def _is_shifted(file: FileModel, exponent: cst.BaseExpression, log: cst.Call) -> bool:
    """`(x - m).exp().sum(1).log() + m`, or with an `m` that is known to be a maximum."""
    added = {file.source(each.node) for each in terms(sum_around(file.analysis, log)) if each.node is not log}
    made = file.value(exponent).node  # `x = x - m`, on a line before
    whole = made if isinstance(made, cst.BinaryOperation) else exponent
    taken = [each.node for each in terms(whole) if not each.is_added]
    return any(file.source(each) in added or any(one.op in _LARGEST for one in file.value(each).lineage()) for each in taken)

"""`exp(x) - 1`, which knows nothing of a small `x`."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.numerics._relative import is_relative
from torchlint.rules.numerics._spelling import called_instead
from torchlint.rules.numerics._terms import Term, sum_around, terms, without, written

_ROUNDING = frozenset("round ceil floor trunc long int".split())


@rule("TL612", severity=WARNING, fix=UNSAFE, effect=KEEPS, aliases=("TOR107",), mentions=("exp(",))
def check(file: FileModel) -> Iterator[Finding]:
    for use in file.operations("exp"):
        given, whole = use.arguments["input"], sum_around(file.analysis, use.call)
        rest = without(terms(whole), -1.0)
        if given is None or rest is None or Term(use.call, True) not in rest or use.may_have("out"):
            continue  # no 1 is taken away, or the power is
        if any(each.node is not use.call and (each.is_added or file.source(each.node) != file.source(given)) for each in rest):
            continue  # of several terms, others decide what is left: only `exp(x) - x - 1` is small where `x` is
        if _is_rounded(file, whole):
            continue  # whole numbers are wanted
        text = called_instead(file, use, "expm1", file.source(given, whole=True))
        yield Finding(
            whole,
            "`exp(x) - 1` loses a small `x` in the 1 that is taken away: below 6e-8 it is 0",
            help="use `torch.expm1`",
            fix=rewrite.replace(whole, written(file.analysis, rest, {use.call: text})) if text is not None else None,
            is_for_askers=not is_relative(file, whole, given),  # added to numbers of ordinary size
        )


def _is_rounded(file: FileModel, node: cst.BaseExpression) -> bool:
    """Whether the difference goes straight into a rounding."""
    for each in file.ancestors(node):
        if isinstance(each, cst.Call):
            use = file.operation(each)
            return use is not None and use.name in _ROUNDING
        if not isinstance(each, (cst.Arg, cst.Attribute)):
            return False
    return False

"""The logarithm of `1 + x`, which knows nothing of a small `x`."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.numerics._exponents import is_bounded
from torchlint.rules.numerics._numbers import counts
from torchlint.rules.numerics._relative import is_relative
from torchlint.rules.numerics._spelling import called_instead, receiver
from torchlint.rules.numerics._terms import Term, terms, without, written
from torchlint.values.value import Kind


@rule("TL611", severity=WARNING, fix=UNSAFE, effect=KEEPS, aliases=("TOR106",), mentions=("log(",))
def check(file: FileModel) -> Iterator[Finding]:
    for use in file.operations("log"):
        given = use.arguments["input"]
        rest = without(terms(given), 1.0) if given is not None and not use.may_have("out") else None
        if not rest or not all(each.is_added for each in rest):
            continue  # no 1 is added, or something is taken away: `1 - p`
        if all(_is_constant(file, each) for each in rest) or all(counts(file.analysis, file.value(each.node)) for each in rest):
            continue  # computed once, or of whole numbers, of which `1 + n` is exact
        only = file.operation(rest[0].node) if len(rest) == 1 and isinstance(rest[0].node, cst.Call) else None
        exponent = only.arguments["input"] if only is not None and only.name == "exp" and rest[0].is_added else None
        matters = exponent is not None and not is_bounded(exponent) or any(is_relative(file, use.call, each.node) for each in rest)
        alternatives: tuple[Fix, ...] = ()
        softplus = file.spelling("torch.nn.functional.softplus", use.call)
        if exponent is not None and softplus is not None:
            shorter = rewrite.replace(use.call, f"{softplus}({file.source(exponent)})")
            alternatives = (shorter.saying("use `softplus`, which does not overflow either"),)
        inside = written(file.analysis, rest, {})
        text = called_instead(file, use, "log1p", inside if use.receiver is None else receiver(inside))
        yield Finding(
            use.call,
            "`log(1 + x)` loses a small `x` in the 1 that it is added to: below 6e-8 it is 0"
            if exponent is None
            else "`log(1 + exp(x))` overflows to inf where `x` is above 88, and is 0 where it is below -17",
            help="use `torch.log1p`" if exponent is None else "use `torch.log1p`, or `torch.nn.functional.softplus` for `log(1 + exp(x))`",
            fix=rewrite.replace(use.call, text) if text is not None else None,
            alternatives=alternatives,
            is_for_askers=not matters,  # added to numbers of ordinary size, where the digits that are lost are missed by nobody
        )


def _is_constant(file: FileModel, term: Term) -> bool:
    """A number, or a tensor of numbers that are written out."""
    value, node = file.value(term.node), term.node
    if isinstance(node, cst.Call) and node.args and file.qualname(node.func) == "torch.tensor":
        return file.literal(node.args[0].value) is not ...
    return value.kind is Kind.NUMBER

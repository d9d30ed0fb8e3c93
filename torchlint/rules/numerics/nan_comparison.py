"""A comparison with NaN, which equals nothing, not even itself."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, Fix, rule
from torchlint.rules.numerics._copies import is_proven
from torchlint.rules.numerics._plain import plain_number
from torchlint.rules.numerics._spelling import receiver
from torchlint.values.value import Kind

_NAN = frozenset({"math.nan", "torch.nan", "numpy.nan", "numpy.NaN", "numpy.NAN"})
_NUMBERS = frozenset({"torch.tensor", "numpy.float32", "numpy.float64", "builtins.float"})
_QUIET = frozenset({Kind.STRING, Kind.NONE, Kind.OTHER, Kind.FUNCTION, Kind.CLASS, Kind.MODULE})


@rule("TL610", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("nan", "NaN", "NAN"))
def check(file: FileModel) -> Iterator[Finding]:
    for asked in file.nodes(cst.Comparison):
        if len(asked.comparisons) != 1 or not isinstance(asked.comparisons[0].operator, (cst.Equal, cst.NotEqual)):
            continue  # `x is nan` asks for one object
        sides = (asked.left, asked.comparisons[0].comparator)
        other = next((other for nan, other in (sides, sides[::-1]) if _is_nan(file, nan)), None)
        if other is None or _is_nan(file, other) or file.value(other).kind in _QUIET:
            continue  # shown of NaN itself; a text
        equal = isinstance(asked.comparisons[0].operator, cst.Equal)
        yield Finding(
            asked,
            f"NaN equals nothing, not even NaN: this is {'False' if equal else 'True'} for every number",
            help="ask `torch.isnan`, or `math.isnan` of a number",
            fix=_fix(file, asked, other, "" if equal else "~"),
        )


def _is_nan(file: FileModel, node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.UnaryOperation):
        node = node.expression
    if isinstance(node, cst.Call) and len(node.args) == 1 and (file.value(node.func).qualname or file.qualname(node.func)) in _NUMBERS:
        given = file.literal(node.args[0].value)
        return isinstance(given, str) and given.strip(" +-").lower() == "nan" or _is_nan(file, node.args[0].value)
    return file.qualname(node) in _NAN


def _fix(file: FileModel, asked: cst.Comparison, other: cst.BaseExpression, negation: str) -> Fix | None:
    value, source = file.value(other), file.source(other)
    if value.is_tensor and not value.optional:
        fix = rewrite.replace(asked, f"{negation}{receiver(source)}.isnan()")
        return fix if is_proven(file.analysis, value) else fix.at_most(UNSAFE)
    spelt = file.spelling("math.isnan", asked)
    if spelt is not None and plain_number(file.analysis, other) is not None:
        return rewrite.replace(asked, f"{'not ' if negation else ''}{spelt}({source})")
    return None

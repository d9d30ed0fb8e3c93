"""Logits compared with 0.5, which is the threshold of probabilities."""

from collections.abc import Iterator

import libcst as cst

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.numerics._activations import unviewed

_ORDERS = (cst.GreaterThan, cst.GreaterThanEqual, cst.LessThan, cst.LessThanEqual)


@rule("TL623", severity=INFO, default=False, mentions=("WithLogits", "with_logits"))
def check(file: FileModel) -> Iterator[Finding]:
    logits = {}
    for loss in file.operations("binary_cross_entropy_with_logits"):
        given = loss.arguments["input"]
        if given is not None:
            logits[id(unviewed(file.value(given)))] = given
    for compared, node in _compared_with_half(file) if logits else ():
        given = logits.get(id(unviewed(file.value(compared))))
        if given is not None:
            yield Finding(
                node,
                f"`{file.source(compared)}` holds logits: a probability of one half is 0 there, and 0.5 stands for one of 0.62",
                help="compare with 0, or take the sigmoid first",
                related=((given, "the loss takes them as logits"),),
            )


def _compared_with_half(file: FileModel) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    for node in file.nodes(cst.Comparison):
        only = node.comparisons[0]
        if len(node.comparisons) == 1 and isinstance(only.operator, _ORDERS) and file.literal(only.comparator) == 0.5:
            yield node.left, node
    for call in file.methods("gt", "ge", "lt", "le"):
        if len(call.args) == 1 and file.literal(call.args[0].value) == 0.5 and isinstance(call.func, cst.Attribute):
            yield call.func.value, call

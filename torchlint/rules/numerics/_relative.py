"""Whether the digits of a small result matter: where it is divided by what it depends on, or its logarithm or root is taken.

Elsewhere it is added to numbers of ordinary size, and a loss of 1e-7 is no loss.
"""

from __future__ import annotations

import libcst as cst

from torchlint.model import FileModel
from torchlint.syntax.tree import Node, descendants

_MAGNIFYING = frozenset({"log", "log2", "log10", "sqrt", "rsqrt", "reciprocal"})


def is_relative(file: FileModel, node: cst.BaseExpression, argument: Node) -> bool:
    """Whether a result that is small where its argument is goes straight into what depends on its relative size."""
    for above in file.ancestors(node):
        if isinstance(above, (cst.Arg, cst.Attribute, cst.UnaryOperation)):
            continue
        if isinstance(above, cst.BinaryOperation) and isinstance(above.operator, (cst.Multiply, cst.Divide)):
            is_dividend = isinstance(above.operator, cst.Divide) and any(each is node for each in descendants(above.left))
            if is_dividend and _names(file, above.right) & _names(file, argument):
                return True
            continue
        if isinstance(above, cst.BinaryOperation) and isinstance(above.operator, cst.Subtract):
            if above.right is not node and file.source(above.right) == file.source(argument):
                continue  # `(exp(x) - 1) - x`, as small as its argument is
            return False
        use = file.operation(above) if isinstance(above, cst.Call) else None
        return use is not None and use.name in _MAGNIFYING
    return False


def _names(file: FileModel, node: Node) -> set[str]:
    """The variables, and attributes of objects, that an expression reads."""
    found = set()
    for each in descendants(node):
        above = file.parent(each)
        if isinstance(above, cst.Attribute) and not (isinstance(file.parent(above), cst.Call) and above.value is each):
            continue  # the longest chain counts
        is_method = isinstance(each, cst.Attribute) and isinstance(above, cst.Call) and above.func is each
        if isinstance(each, (cst.Name, cst.Attribute)) and not is_method and file.qualname(each) is None:
            found.add(file.source(each))
    return found

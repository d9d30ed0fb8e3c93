"""Methods that a statement only names, of things on which they are called for their effect."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Value

_MEANT: dict[Kind, frozenset[str]] = {
    Kind.MODULE: frozenset("train eval zero_grad requires_grad_ cuda cpu half float double".split()),
    Kind.OPTIMIZER: frozenset("step zero_grad".split()),
    Kind.SCHEDULER: frozenset({"step"}),
    Kind.SCALER: frozenset({"update"}),
    Kind.TENSOR: frozenset("backward detach_ requires_grad_ zero_".split()),
    Kind.UNKNOWN: frozenset("backward eval zero_grad".split()),
}
"""What is called on these for its effect alone, and without arguments. Those of an unknown thing mean the same whatever it is."""
_TAKES_SOMETHING = frozenset("LBFGS ReduceLROnPlateau".split())
"""Their `step` needs an argument."""
_DEAL_WITH_FAILURE = frozenset("contextlib.suppress pytest.raises".split())


def uncalled(file: FileAnalysis) -> Iterator[tuple[cst.Attribute, Value]]:
    """Each such method, with the value that it is a method of."""
    for statement in file.nodes(cst.Expr):
        named = statement.value
        if not isinstance(named, cst.Attribute) or not isinstance(named.value, (cst.Name, cst.Attribute)):
            continue
        held, method = file.value(named.value), named.attr.value
        kind = Kind.UNKNOWN if _is_known_by_this(file, named, held) else held.kind
        if file.is_shown(named):
            continue  # to be looked at
        if method in _MEANT.get(kind, ()) and not _is_own(held, method) and not _is_asked_for(file, statement):
            yield named, held


def needs_argument(held: Value) -> bool:
    """Whether the method cannot be called without an argument."""
    return (held.qualname or "").rpartition(".")[2] in _TAKES_SOMETHING


def _is_known_by_this(file: FileAnalysis, named: cst.Attribute, held: Value) -> bool:
    """Whether a parameter is taken for a module for nothing else than what is asked of it here."""
    if not isinstance(named.value, cst.Name) or not isinstance(held.node, cst.Param) or held.node.annotation is not None:
        return False
    uses = (file.parent(each) for each in file.references(named.value) if each is not held.node.name)
    return all(isinstance(each, cst.Attribute) and each.attr.value == named.attr.value for each in uses)


def _is_own(held: Value, method: str) -> bool:
    """Whether a class of the project says what the name stands for: a property may act."""
    return held.cls is not None and (held.cls.method(method) is not None or held.cls.assigns(method))


def _is_asked_for(file: FileAnalysis, statement: Node) -> bool:
    """Whether the statement may be there to see whether the attribute exists: it fails, and that is dealt with."""
    around = [each for each in file.ancestors(statement) if file.function(each) is file.function(statement)]
    items = (item.item for each in around if isinstance(each, cst.With) for item in each.items)
    dealt = (file.qualname(item.func) for item in items if isinstance(item, cst.Call))
    return any(isinstance(each, cst.Try) for each in around) or any(path in _DEAL_WITH_FAILURE for path in dealt)

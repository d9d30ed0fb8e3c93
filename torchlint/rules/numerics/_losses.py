"""The losses of a file, in all their forms, each with the operation that made what it is given, and what can be done about that."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import libcst as cst

from torchlint import rewrite
from torchlint.facts.modules import LOSS_MODULES
from torchlint.facts.operations import Form, operation
from torchlint.model.dataflow import consumers, escapes
from torchlint.model.operations import Use, use, uses
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import Fix
from torchlint.rules.numerics._activations import RAW, Activation, activation
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Kind, Value


@dataclass(frozen=True, slots=True)
class Loss:
    """One call of a loss whose input is known to come from an operation."""

    use: Use
    given: cst.BaseExpression
    """Its input, as it is written."""
    made: Activation
    others: list[Loss] = field(default_factory=list)
    """Further calls in the file that are given what the same operation made, or that share the criterion."""

    @property
    def file(self) -> FileAnalysis:
        return self.use.file

    @property
    def is_nested(self) -> bool:
        """Whether the operation is called in the argument itself."""
        return self.made.node in descendants(self.given)

    @property
    def related(self) -> tuple[tuple[cst.CSTNode, str] | tuple[cst.CSTNode, str, FileAnalysis], ...]:
        """Where the operation is applied, if that is elsewhere, and the other losses."""
        others = tuple((each.given, "given here, too") for each in self.others)
        if self.is_nested:
            return others
        said = "the last layer" if self.made.is_layer else f"`{self.made.op}` is applied here"
        return (self.made.node, said, self.made.file), *others


def losses(file: FileAnalysis, *names: str, made_by: Collection[str], by_criterion: bool = False) -> Iterator[Loss]:
    """The calls of these losses that are given what one of these operations made.

    Once for each place that applies the operation; `by_criterion`: once for each criterion, where it is the loss that should be another.
    """
    found: dict[Node, Loss] = {}
    for each in uses(file, *names):
        given = each.arguments["input"]
        if given is None or not _is_surely(each):
            continue
        made = activation(file, file.value(given))
        if made is None or made.op not in made_by:
            continue
        loss = Loss(each, given, made)
        first = found.setdefault(_criterion(each) if by_criterion else made.node, loss)
        if first is not loss:
            first.others.append(loss)
    yield from found.values()


def _criterion(called: Use) -> Node:
    """Where the criterion was made; a function has none, and every call of it is one of its own."""
    made = called.file.value(called.receiver).node if called.form is Form.MODULE and called.receiver is not None else None
    return made if made is not None else called.call


def _is_surely(called: Use) -> bool:
    """Whether a loss that is handed over is this one: the file makes no other kind."""
    if called.form is not Form.MODULE or called.receiver is None:
        return True
    criterion = called.file.value(called.receiver)
    if not isinstance(criterion.node, cst.Param):
        return True
    return called.file.once(_kinds) <= {criterion.qualname}


def _kinds(file: FileAnalysis) -> set[str]:
    """The kinds of losses that the file makes."""
    return {path for call in file.nodes(cst.Call) if (path := file.qualname(call.func)) is not None and path in LOSS_MODULES}


# -- what can be done ------------------------------------------------------------------------------------------------------


def without(loss: Loss) -> Fix | None:
    """The loss gets what the activation was applied to; None where that is not simple, or somebody else wants the activation."""
    file, made = loss.file, loss.made
    call = applied(loss)
    raw = input_of(call) if call is not None else None
    if call is None or raw is None:
        return None
    if loss.is_nested:
        return rewrite.replace(call.call, file.source(raw))
    name = assigned(file, call.call)
    if name is None or not made.is_bare or file.value(loss.given) is not made.value or loss.others:
        return None
    if isinstance(raw, cst.Name) and raw.value != name.value and isinstance(loss.given, cst.Name) and still_holds(file, raw, loss.given):
        return rewrite.replace(loss.given, raw.value)
    if not is_sole(file, made.value):
        return None
    if isinstance(raw, cst.Name) and raw.value == name.value:
        return rewrite.delete_statement(call.call)
    return rewrite.replace(call.call, file.source(raw))


def is_sole(file: FileAnalysis, value: Value) -> bool:
    """Whether one thing alone is computed from a value, and nobody out of sight gets it."""
    return len(consumers(file, value)) == 1 and not escapes(file, value)


def applied(loss: Loss) -> Use | None:
    """The call of the activation, if it stands in the function of the loss."""
    made = loss.made
    if not made.is_local or not isinstance(made.node, cst.Call):
        return None
    return method_or_operation(loss.file, made.node)


def method_or_operation(file: FileAnalysis, call: cst.Call) -> Use | None:
    """The operation that a call is; a method of something unknown is that of a tensor, where a loss or its like gets the result."""
    found, func = use(file, call), call.func
    if found is not None or not isinstance(func, cst.Attribute) or file.value(func.value).kind is not Kind.UNKNOWN:
        return found
    method = operation(f"torch.Tensor.{func.attr.value}") if file.qualname(func) is None else None
    return Use(file, call, method, func.value) if method is not None else None


def input_of(applied: Use) -> cst.BaseExpression | None:
    return applied.arguments["input"] or applied.arguments["self"] or (applied.receiver if applied.form is Form.METHOD else None)


def assigned(file: FileAnalysis, call: cst.Call) -> cst.Name | None:
    """The one name that a statement gives to what a call yields."""
    statement = file.parent(call)
    if not isinstance(statement, cst.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0].target
    return target if isinstance(target, cst.Name) else None


def still_holds(file: FileAnalysis, name: cst.Name, later: Node) -> bool:
    """Whether a variable is not bound anew, or changed, between two places."""
    order = file.tree.order
    bound = (each.node for each in file.names.bindings(name))
    return not any(order[name] < order.get(each, 0) < order[later] for each in bound)


def renamed(file: FileAnalysis, applied: Use, function: str, module: str) -> str | None:
    """A call of an operation as it is written, with another one in its place: `F.softmax(x, dim=1)` as `F.log_softmax(x, dim=1)`."""
    func = applied.call.func
    if applied.form is Form.MODULE:
        if not isinstance(func, cst.Call):
            return None  # a layer by its name
        made, path = func.func, module
    else:
        made, path = func, function
    if made.lpar or func.lpar:
        return None
    last = made.attr if isinstance(made, cst.Attribute) else made
    spelt = path.rpartition(".")[2] if isinstance(made, cst.Attribute) else file.spelling(path, made)
    start, end = file.span(last)
    begin, stop = file.span(applied.call)
    return file.text[begin:start] + spelt + file.text[end:stop] if spelt is not None else None


def another_kind(loss: Loss, function: str, module: str) -> Fix | None:
    """The same call of another loss: of the function, or of the module where everything that is given to it is alike."""
    file, called = loss.file, loss.use
    if called.form is Form.FUNCTION:
        return _renamed(file, called.call.func, function)
    made = file.value(called.receiver).node if called.receiver is not None else None
    if not isinstance(made, cst.Call) or made not in file.tree.order:
        return None
    value = file.value(called.receiver) if called.receiver is not None else None
    alike = {each.use.call for each in (loss, *loss.others) if (each.made.op in RAW) is (loss.made.op in RAW)}
    if made is not called.receiver and any(each.call not in alike for each in uses(file, called.name) if _receives(file, each, value)):
        return None
    if any(file.value(each.value) is value for each in file.nodes(cst.Arg)):
        return None  # somebody else calls it as well
    return _renamed(file, made.func, module)


def _receives(file: FileAnalysis, called: Use, value: Value | None) -> bool:
    return called.receiver is not None and file.value(called.receiver) is value


def _renamed(file: FileAnalysis, func: cst.BaseExpression, path: str) -> Fix | None:
    if isinstance(func, cst.Attribute):
        return rewrite.rename_attribute(func, path.rpartition(".")[2])
    spelt = file.spelling(path, func)
    return rewrite.replace(func, spelt) if spelt is not None else None

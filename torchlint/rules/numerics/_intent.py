"""What the code around a second name says about its author's intent: whether a copy was meant, and whether anybody would miss the alias."""

from __future__ import annotations

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import COMPREHENSIONS, Node, descendants
from torchlint.values.value import Graph

_DIFFERENCES = frozenset(
    """torch.dist torch.sub torch.subtract torch.nn.functional.mse_loss torch.nn.functional.l1_loss torch.nn.functional.smooth_l1_loss
    torch.nn.functional.huber_loss""".split()
)
"""Functions that are constant where both arguments are one tensor."""
_READING = frozenset("clone item sum mean std norm abs max min tolist numel dim size add sub mul div".split())
"""Methods whose result shares no memory with the tensor."""
_REACHING = ("locals", "globals", "vars", "eval", "exec")
"""Builtins through which a variable is reached without its name."""
_READERS = frozenset({"print", "len", "float", "int", "str"})
_IDENTITY = frozenset({"id", "data_ptr", "untyped_storage", "storage", "is_set_to", "share_memory_"})
"""Functions and methods that tell one tensor from two, or share its memory on purpose."""


def asks(file: FileAnalysis, assign: Node, new: cst.Name, old: cst.Name) -> bool:
    """Whether the code asks if the two names are one tensor, or a nested function uses one of them."""
    function = file.function(assign)
    for use in (*file.references(new), *file.references(old)):
        if file.function(use) is not function and isinstance(file.function(use), cst.FunctionDef):
            return True
        for each in file.ancestors(use):
            if isinstance(each, cst.Comparison) and _is_of_identity(each, use):
                return True
            if isinstance(each, cst.Call) and _asks_for_one(each, {new.value, old.value}):
                return True
            if isinstance(each, cst.Assert) and _expects_one(each.test, {new.value, old.value}):
                return True
            if isinstance(each, (cst.BaseSmallStatement, cst.BaseCompoundStatement)):
                break
    return False


def _is_of_identity(asked: cst.Comparison, use: cst.Name) -> bool:
    """`a is b`; whether a name holds anything is another question."""
    sides = [asked.left, *(each.comparator for each in asked.comparisons)]
    by_identity = any(isinstance(each.operator, (cst.Is, cst.IsNot)) for each in asked.comparisons)
    return by_identity and use in sides and not any(isinstance(each, cst.Name) and each.value == "None" for each in sides)


def _asks_for_one(call: cst.Call, names: set[str]) -> bool:
    """`a.data_ptr()`, `id(a)`, `torch.testing.assert_close(a, b)`"""
    called = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    name = str(called.value) if isinstance(called, cst.Name) else ""
    if name in _IDENTITY:
        return True
    if not name.lower().startswith("assert") or any(word in name.lower() for word in ("not", "false")):
        return False
    return any(_expects_one(part, names) for part in (call, *(arg.value for arg in call.args[:1])))


def _expects_one(asserted: Node, names: set[str]) -> bool:
    """`torch.equal(a, b)`, asserted: the author knows that the two are one."""
    named = {each.value for each in descendants(asserted) if isinstance(each, cst.Name)}
    denied = isinstance(asserted, cst.UnaryOperation) or any(isinstance(each, cst.NotEqual) for each in descendants(asserted))
    return names <= named and not denied


def creation_of(file: FileAnalysis, old: cst.Name) -> cst.Call | None:
    """The call of torch's constructor that the name is bound to, if it is bound to nothing else."""
    bindings = [each for each in file.names.bindings(old) if not isinstance(file.parent(each.node), cst.AugAssign)]
    made = bindings[0].value if len(bindings) == 1 and bindings[0].how is Binds.ASSIGN else None
    if not isinstance(made, cst.Call) or not file.value(made).fresh or file.function(made) is not file.function(old):
        return None
    return made


def stays_in_use(file: FileAnalysis, assign: Node, new: cst.Name, old: cst.Name) -> bool:
    """Both names are used afterwards, and hold nothing else; or a flat script ends here."""
    function = file.function(assign)
    if isinstance(function, cst.FunctionDef) and function.name.value == "forward":
        return False
    if len(file.names.bindings(new)) != 1 or len(file.names.bindings(old)) != 1:
        return False
    later = [any(file.is_after(each, assign) and each not in (new, old) for each in file.references(name)) for name in (new, old)]
    if isinstance(function, cst.Module) and not any(later):
        return not file.nodes(cst.FunctionDef) and not file.nodes(cst.ClassDef)
    return all(later)


def is_certain(file: FileAnalysis, creation: cst.Call, assign: Node, names: tuple[cst.Name, cst.Name], change: Node | None) -> bool:
    """Whether a copy can be told from the alias in one place only, a difference that is 0 without it, straight after the constructor.

    The second name is used nowhere else, so nothing that relies on the alias is left.
    """
    new, old = names
    uses = [each for each in file.references(new) if each is not new]
    if change is None or len(uses) != 1 or names_memory(change) or file.value(creation).graph is not Graph.NO or _sees_all_names(file, new):
        return False
    lines = [file.statement(node) for node in (creation, assign, change, uses[0])]
    block = file.parent(lines[0])
    if any(file.parent(line) is not block or not isinstance(line, cst.SimpleStatementLine) for line in lines):
        return False
    if not file.is_after(uses[0], change) or not _is_value_of_difference(file, uses[0], old):
        return False
    between = [each for each in file.references(old) if file.is_after(each, creation) and file.is_after(lines[3], each) and each is not old]
    return not any(_may_be_kept(file, each) for each in between)


def _sees_all_names(file: FileAnalysis, new: cst.Name) -> bool:
    """Whether a variable may be reached without its name, or from another file."""
    if any(file.tree.names.get(word) for word in _REACHING):
        return True
    return isinstance(file.function(new), cst.Module) and file.is_named_elsewhere(new.value)


def _is_value_of_difference(file: FileAnalysis, use: cst.Name, old: cst.Name) -> bool:
    """`(old - new).norm()`, where it is a number that is wanted, and not the answer to whether there is a difference."""
    difference = file.parent(use)
    if not isinstance(difference, cst.BinaryOperation) or not isinstance(difference.operator, cst.Subtract):
        return False
    other = difference.left if difference.right is use else difference.right
    if not isinstance(other, cst.Name) or other.value != old.value or isinstance(file.parent(difference), cst.Expr):
        return False
    for each in file.ancestors(difference):
        if isinstance(each, cst.Comparison) and _expects_movement(file, each, difference) or isinstance(each, cst.SimpleStatementLine):
            return True
        if isinstance(each, (cst.Comparison, cst.BooleanOperation, cst.IfExp, cst.Assert, cst.Lambda, *COMPREHENSIONS)):
            return False
        if isinstance(each, cst.UnaryOperation) and isinstance(each.operator, cst.Not):
            return False
    return False


def _expects_movement(file: FileAnalysis, asked: cst.Comparison, difference: Node) -> bool:
    """`(w - before).sum() > 1`: what can never hold of one tensor under two names."""
    if len(asked.comparisons) != 1 or not file.is_inside(difference, asked.left):
        return False
    operator, least = asked.comparisons[0].operator, literal(asked.comparisons[0].comparator)
    return isinstance(operator, (cst.Equal, cst.GreaterThan, cst.GreaterThanEqual)) and isinstance(least, (int, float)) and least > 0


def names_memory(change: Node) -> bool:
    """`torch.add(x, y, out=b)`"""
    return isinstance(change, cst.Call) and any(arg.keyword is not None and arg.keyword.value == "out" for arg in change.args)


def is_difference(file: FileAnalysis, read: Node, names: tuple[cst.Name, cst.Name]) -> bool:
    """Whether the tensors are subtracted from each other here: for one tensor under two names that is 0 whatever happened to it."""
    if any(isinstance(each, cst.Assert) for each in file.ancestors(read)):
        return False  # the author knows what to expect
    wanted = {name.value for name in names}
    for each in file.ancestors(read):
        sides: list[Node] = []
        if isinstance(each, cst.BinaryOperation) and isinstance(each.operator, cst.Subtract):
            sides = [each.left, each.right]
        elif isinstance(each, cst.Call) and file.qualname(each.func) in _DIFFERENCES:
            sides = [arg.value for arg in each.args[:2]]
        elif isinstance(each, cst.Call) and isinstance(each.func, cst.Attribute) and each.func.attr.value in ("sub", "dist") and each.args:
            sides = [each.func.value, each.args[0].value]
        found = [{name.value for name in descendants(side) if isinstance(name, cst.Name)} & wanted for side in sides]
        if len(found) == 2 and all(len(side) == 1 for side in found) and found[0] != found[1]:
            return True
        if isinstance(each, (cst.BaseSmallStatement, cst.BaseCompoundStatement)):
            return False
    return False


def _may_be_kept(file: FileAnalysis, name: cst.Name) -> bool:
    """Whether this use may leave somebody else with the tensor's memory: anything but a change in place, arithmetic, or a look."""
    node: Node = name
    above = file.parent(node)
    while (
        isinstance(above, (cst.Attribute, cst.Call, cst.Subscript)) and (above.func if isinstance(above, cst.Call) else above.value) is node
    ):
        if isinstance(above, cst.Call) and isinstance(node, cst.Attribute) and node.attr.value in _READING:
            return False
        node, above = above, file.parent(above)
    if isinstance(above, (cst.AugAssign, cst.AssignTarget)):
        return isinstance(above, cst.AugAssign) and above.target is not node
    if isinstance(above, cst.Arg):
        call = file.parent(above)
        path = file.qualname(call.func) if isinstance(call, cst.Call) else None
        if isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value in _READERS:
            return False
        return not ((path or "").startswith("torch.") and isinstance(call, cst.Call) and isinstance(file.parent(call), cst.Expr))
    if isinstance(above, cst.Expr):
        return False
    return not isinstance(above, (cst.BinaryOperation, cst.UnaryOperation, cst.Comparison, cst.ComparisonTarget))

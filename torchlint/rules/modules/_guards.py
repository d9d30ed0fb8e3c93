"""What `isinstance` says of an argument at one place: whether only a module can have come this far."""

from __future__ import annotations

import libcst as cst

from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node, descendants
from torchlint.values.flow import Analysis
from torchlint.values.parameters import kind_of_class
from torchlint.values.value import Kind


def is_guarded_module(file: Analysis, name: cst.Name) -> bool:
    """Whether an `if`, an `assert` or a `raise` before this place sorts out all that is no module, of what a caller handed over."""
    if not _is_handed_in(file, name):
        return False
    child: Node = name
    for each in file.ancestors(name):
        if isinstance(each, cst.If) and child is each.body and _says_module(file, each.test, name):
            return True
        if isinstance(each, cst.IndentedBlock) and any(
            _sorts_out(file, statement, name) for statement in each.body if file.is_after(child, statement)
        ):
            return True
        if isinstance(each, (cst.FunctionDef, cst.Lambda)):
            return False
        child = each
    return False


def _is_handed_in(file: Analysis, name: cst.Name) -> bool:
    """Whether the name is a parameter, or walks over one: what a module finds among its own parts is registered."""
    binding = file.names.definition(name)
    if binding is None or binding.how is Binds.PARAMETER:
        return binding is not None
    for each in file.ancestors(binding.node):
        if isinstance(each, (cst.For, cst.CompFor)) and file.is_inside(binding.node, each.target):
            roots = [node for node in descendants(each.iter) if isinstance(node, cst.Name) and file.names.bindings(node)]
            walked = [file.names.definition(root) for root in roots]
            methods = {node.attr.value for node in descendants(each.iter) if isinstance(node, cst.Attribute)}
            return bool(walked) and methods <= {"items", "values"} and all(it is not None and it.how is Binds.PARAMETER for it in walked)
    return False


def _sorts_out(file: Analysis, statement: Node, name: cst.Name) -> bool:
    if isinstance(statement, cst.SimpleStatementLine):
        return any(isinstance(each, cst.Assert) and _says_module(file, each.test, name) for each in statement.body)
    if not isinstance(statement, cst.If) or statement.orelse is not None or not isinstance(statement.test, cst.UnaryOperation):
        return False
    last = statement.body.body[-1] if statement.body.body else None
    leaves = isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], (cst.Raise, cst.Continue, cst.Return))
    return leaves and isinstance(statement.test.operator, cst.Not) and _says_module(file, statement.test.expression, name)


def _says_module(file: Analysis, test: Node, name: cst.Name) -> bool:
    if isinstance(test, cst.BooleanOperation):
        return isinstance(test.operator, cst.And) and (_says_module(file, test.left, name) or _says_module(file, test.right, name))
    if not isinstance(test, cst.Call) or not isinstance(test.func, cst.Name) or test.func.value != "isinstance" or len(test.args) != 2:
        return False
    asked, kind = test.args[0].value, test.args[1].value
    if not isinstance(asked, cst.Name) or asked.value != name.value:
        return False
    kinds = [each.value for each in kind.elements] if isinstance(kind, cst.Tuple) else [kind]
    return bool(kinds) and all(_is_module_class(file, each) for each in kinds)


def _is_module_class(file: Analysis, node: Node) -> bool:
    path, model = file.qualname(node), file.class_of(node)
    return model is not None and model.is_module or path is not None and kind_of_class(file, path) is Kind.MODULE

"""Whether modules are kept out of training on purpose, where they are made or right after."""

from __future__ import annotations

import libcst as cst

from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.flow import Analysis


def is_frozen(node: cst.BaseExpression) -> bool:
    """`Encoder().eval().requires_grad_(False)`"""
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value == "requires_grad_" and node.args and literal(node.args[0].value) is False:
            return True
        node = node.func.value
    return False


def is_frozen_name(file: Analysis, name: cst.Name) -> bool:
    """`teacher.requires_grad_(False)`, `for p in teacher.parameters(): p.requires_grad = False`, anywhere in the function."""
    for each in file.references(name):
        method = file.parent(each)
        call = file.parent(method) if isinstance(method, cst.Attribute) and method.value is each else None
        if isinstance(call, cst.Call) and call.func is method and (is_frozen(call) or freezes(file, call)):
            return True
    return False


def freezes(file: Analysis, node: Node) -> bool:
    """Whether a loop over this freezes what it finds: `for teacher in self.teachers: …requires_grad = False`."""
    loop = file.parent(node)
    if not isinstance(loop, cst.For) or loop.iter is not node:
        return False
    for each in descendants(loop.body):
        if isinstance(each, cst.Assign) and literal(each.value) is False:
            if any(isinstance(target.target, cst.Attribute) and target.target.attr.value == "requires_grad" for target in each.targets):
                return True
        elif isinstance(each, cst.BaseExpression) and is_frozen(each):
            return True
    return False

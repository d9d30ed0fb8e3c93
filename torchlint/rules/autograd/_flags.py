"""Flags set from outside on tensors and modules: where an attribute is assigned, to what, and whether the program ever reads it back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import text
from torchlint.syntax.tree import Node


@dataclass(frozen=True)
class Flag:
    """`owner.name = value`"""

    attribute: cst.Attribute
    owner: cst.BaseExpression
    value: cst.BaseExpression
    statement: cst.Assign

    @property
    def is_alone(self) -> bool:
        """Whether the statement sets nothing else."""
        return len(self.statement.targets) == 1


def flags(file: FileAnalysis, name: str) -> Iterator[Flag]:
    """Where an attribute of this name is assigned, in document order; an object's own, `self.name = …`, is left to the object."""
    for attribute in file.tree.attributes.get(name, ()):
        target = file.parent(attribute)
        statement = file.parent(target) if isinstance(target, cst.AssignTarget) else None
        if isinstance(statement, cst.Assign) and not _is_self(file, attribute.value):
            yield Flag(attribute, attribute.value, statement.value, statement)


def is_read(file: FileAnalysis, name: str) -> bool:
    """Whether this file asks any object for the attribute, or another file of the run may."""
    if any(not isinstance(file.parent(each), (cst.AssignTarget, cst.AnnAssign)) for each in file.tree.attributes.get(name, ())):
        return True
    asked = (call for call in file.nodes(cst.Call) if isinstance(call.func, cst.Name) and call.func.value in ("getattr", "hasattr"))
    if any(len(call.args) > 1 and text(call.args[1].value) == name for call in asked):
        return True
    return file.is_written_elsewhere(re.compile(rf"""\.{name}\b(?!\s*=[^=])|\b[gh](?:et|as)attr\([^\n]*["']{name}["']"""))


def is_read_of(file: FileAnalysis, owner: Node, name: str) -> bool:
    """Whether something that goes by the owner's last name is asked for the attribute: here, or in another file of the run."""
    last = owner.attr.value if isinstance(owner, cst.Attribute) else owner.value if isinstance(owner, cst.Name) else None
    return last is None or file.is_written(re.compile(rf"\b{last}\.{name}\b(?!\s*=[^=])"))


def _is_self(file: FileAnalysis, owner: Node) -> bool:
    if not isinstance(owner, cst.Name):
        return False
    method = file.function(owner)
    return isinstance(method, cst.FunctionDef) and file.owner(method) is not None and file.value(owner).node in method.params.params[:1]

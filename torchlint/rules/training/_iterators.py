"""Iterators over what a module holds, and where they are used up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from torchlint.model.conditions import exclude, when
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node, descendants, runs_once
from torchlint.values.value import Kind

_OF_MODULES = frozenset("parameters named_parameters buffers named_buffers modules named_modules children named_children".split())
_LAZY = frozenset("filter map zip enumerate itertools.chain".split())
"""What they yield is used up as soon as what they are given is."""
_USE_UP = frozenset("list tuple set dict sum sorted any all max min torch.autograd.grad".split())
_OF_NN = ("torch.nn.utils.clip_grad", "torch.nn.utils.parameters_to_vector", "torch.nn.utils.vector_to_parameters")


@dataclass
class UsedUp:
    """An iterator that is used where nothing is left of it."""

    made: cst.Call | cst.GeneratorExp
    first: Node
    """Where it is used up."""
    again: Node
    """Where it is used again: the same place, if that is in a loop."""


def used_up(file: FileAnalysis) -> Iterator[UsedUp]:
    for statement in file.nodes(cst.Assign):
        made, target = statement.value, statement.targets[0].target
        if len(statement.targets) != 1 or not isinstance(made, (cst.Call, cst.GeneratorExp)) or not _is_iterator(file, made):
            continue
        if isinstance(target, cst.Name) and len(file.names.bindings(target)) == 1:
            found = _in_function(file, made, [each for each in file.references(target) if _uses_up(file, each)])
        elif isinstance(target, cst.Attribute):
            found = _in_class(file, made, target)
        else:
            continue
        if found is not None:
            yield found


def _is_iterator(file: FileAnalysis, made: cst.BaseExpression) -> bool:
    if isinstance(made, cst.GeneratorExp):
        return _is_iterator(file, made.for_in.iter)
    if not isinstance(made, cst.Call):
        return False
    if isinstance(made.func, cst.Attribute) and made.func.attr.value in _OF_MODULES:
        held = file.value(made.func.value)
        return held.kind is Kind.MODULE and (held.cls is None or held.cls.method(made.func.attr.value) is None)
    return _path(file, made) in _LAZY and any(_is_iterator(file, arg.value) for arg in made.args)


def _path(file: FileAnalysis, call: cst.Call) -> str:
    """The name of what is called: dotted for libraries, bare for what Python has."""
    found = file.qualname(call.func)
    return found or (call.func.value if isinstance(call.func, cst.Name) and not file.names.bindings(call.func) else "")


def _uses_up(file: FileAnalysis, use: Node) -> bool:
    """Whether whoever gets the iterator here goes through all of it."""
    above = file.parent(use)
    if isinstance(above, cst.For):
        return above.iter is use and not any(isinstance(each, (cst.Break, cst.Return)) for each in descendants(above.body))
    if isinstance(above, (cst.CompFor, cst.StarredElement)):
        return True
    while isinstance(above, (cst.DictElement, cst.Dict, cst.Element, cst.List, cst.Tuple)):  # the groups of an optimizer
        use, above = above, file.parent(above)
    call = file.parent(above) if isinstance(above, cst.Arg) else None
    if not isinstance(call, cst.Call) or not isinstance(above, cst.Arg):
        return False
    path = _path(file, call)
    if isinstance(use, (cst.Dict, cst.List, cst.Tuple)) or path.startswith("torch.optim."):
        return path.startswith("torch.optim.") and not path.startswith("torch.optim.lr_scheduler")
    return above.star == "*" or path in _USE_UP or path.startswith(_OF_NN)


def _in_function(file: FileAnalysis, made: cst.Call | cst.GeneratorExp, uses: Sequence[Node]) -> UsedUp | None:
    home = file.function(made)
    here = [each for each in uses if file.function(each) is home and file.is_after(each, made)]
    for index, first in enumerate(here):
        around = [each for each in file.tree.loops(first) if not file.is_inside(made, each) and not runs_once(each)]
        if around and _is_in_each_iteration(file, first, around[-1]):
            return UsedUp(made, first, first)
        for again in here[index + 1 :]:
            if not exclude(file, first, again) and not _leaves(file, first, again):
                return UsedUp(made, first, again)
    return None


def _is_in_each_iteration(file: FileAnalysis, use: Node, loop: Node) -> bool:
    """Whether a use in a loop is under no condition but settings, `if args.clip:`, which stay as they are."""
    conditions = when(file, use)[len(when(file, loop)) :]
    return all(isinstance(each.test, (cst.Name, cst.Attribute)) for each in conditions)


def _leaves(file: FileAnalysis, first: Node, again: Node) -> bool:
    """Whether the function is left between two uses: the first stands in a block that ends so, and the other is out of it."""
    for each in file.ancestors(first):
        if isinstance(each, cst.IndentedBlock) and not file.is_inside(again, each):
            last = each.body[-1]
            if isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], (cst.Return, cst.Raise, cst.Break, cst.Continue)):
                return True
    return False


def _in_class(file: FileAnalysis, made: cst.Call | cst.GeneratorExp, target: cst.Attribute) -> UsedUp | None:
    """Used up where the object is made, and again in a method."""
    home = file.function(made)
    owner = file.owner(home)
    if owner is None or not isinstance(home, cst.FunctionDef) or home.name.value != "__init__" or file.source(target.value) != "self":
        return None
    if len(owner.assignments.get(target.attr.value, ())) != 1:
        return None
    all_uses = [each for each in file.tree.attributes.get(target.attr.value, ()) if file.source(each) == file.source(target)]
    uses = [each for each in file.tree.within(all_uses, owner.node) if _uses_up(file, each)]
    found = _in_function(file, made, uses)
    first = next((each for each in uses if file.function(each) is home and file.is_after(each, made)), None)
    again = next((each for each in uses if file.function(each) is not home), None)
    return found if found is not None or first is None or again is None else UsedUp(made, first, again)

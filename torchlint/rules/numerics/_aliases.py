"""Second names for one tensor: `b = a`, where it is changed in place through one of them, and where the other is read after that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.tensors import FACTORIES
from torchlint.model.memory import Memory
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.numerics._intent import asks, creation_of, is_certain, is_difference, names_memory, stays_in_use
from torchlint.syntax.tree import Node, descendants
from torchlint.syntax.ways import reached

_OF_MODULES = frozenset({"parameters", "named_parameters", "buffers", "named_buffers", "param_groups"})


@dataclass(frozen=True, slots=True)
class Alias:
    """One statement that gives a tensor a second name."""

    assign: cst.Assign | cst.AnnAssign
    new: cst.Name
    old: cst.Name
    change: Node | None
    """Where the tensor is changed in place through one of the names, if the other one is read after that."""
    read: Node | None
    """Where the other one is read."""
    is_compared: bool
    """The code asks whether the two are one tensor, or a nested function uses one of them."""
    is_fresh: bool
    """The tensor was made by a constructor of torch in this function, is not trained, and the old name never holds anything else."""
    stays_in_use: bool
    """Both names are used afterwards, and hold nothing else; or a flat script ends here."""
    is_certain: bool
    """Constructor, second name, change and reading follow one another in one block, nothing else gets the tensor before, and the second
    name is used nowhere but in the difference of the two: the old value was wanted."""


def aliases(file: FileAnalysis, memory: Memory) -> Iterator[Alias]:
    """Every `b = a` between two local names where `a` is known to be a tensor, parameters of modules left out."""
    statements: list[cst.Assign | cst.AnnAssign] = [*file.nodes(cst.Assign), *file.nodes(cst.AnnAssign)]
    for assign in statements:
        names = _pair(assign)
        if names is None or not _may_matter(file, *names) or not file.value(names[1]).is_tensor or _is_parameter(file, names[1]):
            continue
        new, old = names
        change, read = _spoilt(file, memory, assign, names)
        if change is not None and read is not None and names_memory(change) and not is_difference(file, read, names):
            continue  # whoever says where to write to knows whose memory it is
        creation = creation_of(file, old)
        yield Alias(
            assign,
            new,
            old,
            change,
            read,
            asks(file, assign, new, old),
            creation is not None and not file.value(old).has_graph,  # a copy of a leaf that is trained would not be trained
            stays_in_use(file, assign, new, old),
            creation is not None and is_certain(file, creation, assign, names, change),
        )


def _spoilt(file: FileAnalysis, memory: Memory, assign: Node, names: tuple[cst.Name, cst.Name]) -> tuple[Node | None, Node | None]:
    """The first change through one of the names after which the other one is read, and where."""
    value = file.value(names[1])
    changes = {event.site: event for event in memory.changes(file.function(assign), of=value)}
    bound = [each.node for name in names for each in file.names.bindings(name)]
    anew = [each for each in bound if each is not names[0] and not isinstance(file.parent(each), cst.AugAssign)]
    for change in reached(file.tree, assign, changes, anew):
        through = {each.value for each in memory.names(changes[change])}
        for other in names if any(each.value in through for each in names) else ():
            for read in memory.reads(value, change, of=other, without=[assign]) if other.value not in through else ():
                return change, read
    return None, None


def _may_matter(file: FileAnalysis, new: cst.Name, old: cst.Name) -> bool:
    """A cheap look: one of the names is changed in place somewhere, or the old one comes straight from a constructor of torch."""
    function = file.function(new)
    if not file.relevance.touches_torch(function):
        return False
    if any(_may_change(file, use) and file.function(use) is function for name in (new, old) for use in file.tree.names[name.value]):
        return True
    made = [binding.value for binding in file.names.bindings(old)]
    return len(made) == 1 and isinstance(made[0], cst.Call) and file.qualname(made[0].func) in FACTORIES


def _may_change(file: FileAnalysis, use: cst.Name) -> bool:
    above = file.parent(use)
    if isinstance(above, cst.Attribute):
        return above.attr.value.endswith("_") or above.attr.value == "data"
    if isinstance(above, cst.Subscript):
        return (
            isinstance(file.parent(above), (cst.AssignTarget, cst.AugAssign))
            or above.value is use
            and isinstance(file.parent(above), cst.Attribute)
        )
    if isinstance(above, cst.Arg):
        call = file.parent(above)
        func = call.func if isinstance(call, cst.Call) else None
        name = func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""
        return above.keyword is not None or str(name).endswith("_")
    return isinstance(above, cst.AugAssign) and above.target is use


def _is_parameter(file: FileAnalysis, name: cst.Name) -> bool:
    """Whether the name holds a parameter of a module: two names for one are weight tying, or a shorter way to say it."""
    if file.value(name).qualname == "torch.nn.Parameter":
        return True
    return any(
        isinstance(each, (cst.For, cst.CompFor)) and file.is_inside(binding.node, each.target) and _walks_parameters(each.iter)
        for binding in file.names.bindings(name)
        for each in file.ancestors(binding.node)
    )


def _walks_parameters(iterated: Node) -> bool:
    return any(isinstance(node, cst.Attribute) and node.attr.value in _OF_MODULES for node in descendants(iterated))


def _pair(assign: cst.Assign | cst.AnnAssign) -> tuple[cst.Name, cst.Name] | None:
    if isinstance(assign, cst.Assign):
        if len(assign.targets) != 1:
            return None
        target: Node = assign.targets[0].target
    else:
        target = assign.target
    value = assign.value
    if isinstance(target, cst.Name) and isinstance(value, cst.Name) and target.value != value.value:
        return target, value
    return None

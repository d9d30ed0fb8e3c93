"""Second names for one tensor: `b = a`, where it is changed in place through one of them, and where the other is read after that.

An element of a list under a name of its own counts where it begins a sum of the others: `total = parts[0]`, then `total += parts[1]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import libcst as cst

from torchlint.model.conditions import exclude
from torchlint.model.memory import Memory
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.numerics._intent import asks, creation_of, is_certain, is_difference, names_memory, stays_in_use
from torchlint.syntax.literals import integer
from torchlint.syntax.tree import Node, descendants
from torchlint.syntax.ways import reached
from torchlint.values.value import Kind

_ENOUGH = 20
"""Changes that are looked at for one second name."""
_OF_MODULES = frozenset({"parameters", "named_parameters", "buffers", "named_buffers", "param_groups"})


@dataclass(frozen=True, slots=True)
class Alias:
    """One statement that gives a tensor a second name."""

    assign: cst.Assign | cst.AnnAssign
    new: cst.Name
    given: cst.Name | cst.Subscript
    """The old name, or the element of a list."""
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
        pair = _pair(assign)
        if pair is None:
            continue
        new, given = pair
        old = given if isinstance(given, cst.Name) else given.value
        if (
            not isinstance(old, cst.Name)
            or not file.relevance.touches_torch(file.function(new))
            or not file.value(given).is_tensor
            or _is_parameter(file, old)
        ):
            continue
        if old is not given and file.value(old).kind not in (Kind.LIST, Kind.TUPLE):
            continue  # a view, which is meant to share
        change, read = _spoilt(file, memory, assign, new, old)
        if change is not None and read is not None and names_memory(change) and not is_difference(file, read, (new, old)):
            continue  # whoever says where to write to knows whose memory it is
        creation = creation_of(file, old) if old is given else None
        yield Alias(
            assign,
            new,
            given,
            change,
            read,
            asks(file, assign, new, old),
            creation is not None and not file.value(old).has_graph,  # a copy of a leaf that is trained would not be trained
            stays_in_use(file, assign, new, old),
            creation is not None and is_certain(file, creation, assign, (new, old), change),
        )


def _spoilt(
    file: FileAnalysis, memory: Memory, assign: cst.Assign | cst.AnnAssign, new: cst.Name, old: cst.Name
) -> tuple[Node | None, Node | None]:
    """The first change through one of the names after which the other one is read, and where."""
    assert assign.value is not None
    is_element, value = assign.value is not old, file.value(assign.value)
    changes = {event.site: event for event in memory.changes(file.function(assign), of=value)}
    bound = [each.node for name in (new, old) for each in file.names.bindings(name)]
    anew = [each for each in bound if each is not new and not isinstance(file.parent(each), cst.AugAssign)]
    for change in islice(reached(file.tree, assign, changes, anew), _ENOUGH):
        through = {each.value for each in memory.names(changes[change])} & {new.value, old.value}
        if not through or exclude(file, assign, change) or is_element and not _adds_up(file, change, old):
            continue
        for other in (new, old):
            for read in memory.reads(value, change, of=other, without=[assign]) if other.value not in through else ():
                if not is_element or not isinstance(file.parent(read), cst.Subscript):
                    return change, read
    return None, None


def _adds_up(file: FileAnalysis, change: Node, parts: cst.Name) -> bool:
    """Whether a change adds further elements of a list to one of them: the sum is wanted, and not another first element."""
    if not isinstance(change, cst.AugAssign) or not isinstance(change.target, cst.Name):
        return False
    container = file.value(parts)
    held = {id(each) for each in (container, *container.held())}
    return any(id(each) in held for each in file.value(change.value).lineage())


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


def _pair(assign: cst.Assign | cst.AnnAssign) -> tuple[cst.Name, cst.Name | cst.Subscript] | None:
    """The two sides of `b = a` or of `b = a[0]`."""
    if isinstance(assign, cst.Assign):
        if len(assign.targets) != 1:
            return None
        target: Node = assign.targets[0].target
    else:
        target = assign.target
    value = assign.value
    if not isinstance(target, cst.Name):
        return None
    if isinstance(value, cst.Name):
        return (target, value) if target.value != value.value else None
    if isinstance(value, cst.Subscript) and isinstance(value.value, cst.Name) and len(value.slice) == 1:
        part = value.slice[0].slice
        return (target, value) if isinstance(part, cst.Index) and integer(part.value) is not None else None
    return None

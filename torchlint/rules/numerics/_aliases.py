"""Second names for one tensor: `b = a`, which of the two is changed in place afterwards, and where the other is read after that.

Follows the two names through the statements of their function the way the flow model does: branches are joined, loop bodies run twice.
Names in nested functions are not followed; a pair that one of them mentions is left alone. What the names hold is the flow model's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntFlag

import libcst as cst

from torchlint.facts.tensors import FACTORIES
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.numerics._acts import Act, Does, Reader
from torchlint.rules.numerics._intent import creation_of, is_certain, is_difference, names_memory, stays_in_use
from torchlint.syntax.tree import Node, descendants

_OF_MODULES = frozenset({"parameters", "named_parameters", "buffers", "named_buffers", "param_groups"})


class _State(IntFlag):
    """What holds at one point of one path."""

    APART = 0
    SHARED = 1
    NEW_SPOILT = 2
    """The new name's tensor was changed through the old name."""
    OLD_SPOILT = 4


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


def aliases(file: FileAnalysis) -> Iterator[Alias]:
    """Every `b = a` between two local names where `a` is known to be a tensor, parameters of modules left out."""
    statements: list[cst.Assign | cst.AnnAssign] = [*file.nodes(cst.Assign), *file.nodes(cst.AnnAssign)]
    for assign in statements:
        names = _pair(assign)
        if names is None or not _may_matter(file, *names) or not file.value(names[1]).is_tensor or _is_parameter(file, names[1]):
            continue
        new, old = names
        trace = _Trace(file, assign, new.value, old.value)
        trace.run()
        if (
            trace.change is not None
            and trace.read is not None
            and names_memory(trace.change)
            and not is_difference(file, trace.read, names)
        ):
            continue  # whoever says where to write to knows whose memory it is
        creation = creation_of(file, old)
        yield Alias(
            assign,
            new,
            old,
            trace.change,
            trace.read,
            trace.compared or trace.reader.compared,
            creation is not None and not file.value(old).has_graph,  # a copy of a leaf that is trained would not be trained
            stays_in_use(file, assign, new, old),
            creation is not None and is_certain(file, creation, assign, names, trace.change),
        )


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


class _Trace:
    """One pair of names through the function that holds the statement."""

    def __init__(self, file: FileAnalysis, assign: Node, new: str, old: str) -> None:
        self.file = file
        self.assign = assign
        self.new, self.old = new, old
        self.change: Node | None = None
        self.read: Node | None = None
        self.compared = False
        self.reader = Reader(file, assign, new, old)
        self._spoiler: dict[str, Node] = {}
        self._acts: dict[Node, list[Act]] = {}
        self._breaks: list[set[_State]] = []
        self._continues: list[set[_State]] = []

    def run(self) -> None:
        function = self.file.function(self.assign)
        if isinstance(function, cst.FunctionDef):
            self._suite(function.body, {_State.APART})
        elif isinstance(function, cst.Module):
            self._block(function.body, {_State.APART})

    # -- statements -----------------------------------------------------------------------------------------------------

    def _block(self, body: Iterable[Node], states: set[_State]) -> set[_State]:
        for statement in body:
            if not states:
                break
            states = self._statement(statement, states)
        return states

    def _suite(self, suite: cst.BaseSuite, states: set[_State]) -> set[_State]:
        return self._block(suite.body, states)

    def _statement(self, node: Node, states: set[_State]) -> set[_State]:
        if isinstance(node, cst.SimpleStatementLine):
            return self._block(node.body, states)
        if isinstance(node, cst.If):
            states = self._apply(node.test, states)
            otherwise = states
            if isinstance(node.orelse, cst.If):
                otherwise = self._statement(node.orelse, states)
            elif node.orelse is not None:
                otherwise = self._suite(node.orelse.body, states)
            return self._suite(node.body, states) | otherwise
        if isinstance(node, (cst.For, cst.While)):
            return self._loop(node, states)
        if isinstance(node, cst.With):
            for item in node.items:
                states = self._apply(item, states)
            return self._suite(node.body, states)
        if isinstance(node, (cst.Try, cst.TryStar)):
            after = self._suite(node.body, states)
            ends = self._suite(node.orelse.body, after) if node.orelse is not None else after
            for handler in node.handlers:
                ends = ends | self._suite(handler.body, states | after)
            return self._suite(node.finalbody.body, ends or states | after) if node.finalbody is not None else ends
        if isinstance(node, cst.Match):
            states = self._apply(node.subject, states)
            ends = states
            for case in node.cases:
                ends = ends | self._suite(case.body, states)
            return ends
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            if any(isinstance(each, cst.Name) and each.value in (self.new, self.old) for each in descendants(node.body)):
                self.compared = True
            return states
        states = self._apply(node, states)
        if isinstance(node, cst.Break) and self._breaks:
            self._breaks[-1] |= states
        elif isinstance(node, cst.Continue) and self._continues:
            self._continues[-1] |= states
        elif not isinstance(node, (cst.Return, cst.Raise)):
            return states
        return set()

    def _loop(self, node: cst.For | cst.While, states: set[_State]) -> set[_State]:
        if isinstance(node, cst.For):
            states = self._apply(node.iter, states)
        self._breaks.append(set())
        self._continues.append(set())
        seen, after = states, set[_State]()
        for _ in range(2):  # the second time with what the first left behind; a loop that never runs proves nothing
            begun = self._apply(node.target if isinstance(node, cst.For) else node.test, seen)
            after = after | self._suite(node.body, begun) | self._continues[-1]
            seen = seen | after
        self._continues.pop()
        if node.orelse is not None:
            after = self._suite(node.orelse.body, after)
        return after | self._breaks.pop() or states

    # -- acts -----------------------------------------------------------------------------------------------------------

    def _apply(self, node: Node, states: set[_State]) -> set[_State]:
        acts = self._acts.get(node)
        if acts is None:
            acts = self._acts[node] = list(self.reader.acts(node))
        for act in acts:
            states = {self._step(act, state) for state in states}
        return states

    def _step(self, act: Act, state: _State) -> _State:
        is_new = act.name == self.new
        spoilt, other = (_State.NEW_SPOILT, _State.OLD_SPOILT) if is_new else (_State.OLD_SPOILT, _State.NEW_SPOILT)
        if state & spoilt and (act.does in (Does.READ, Does.SHARE) or act.does is Does.CHANGE and act.reads) and self.read is None:
            self.read = act.node
            self.change = self._spoiler.get(act.name)
        if act.does is Does.CHANGE and state & _State.SHARED:
            self._spoiler.setdefault(self.old if is_new else self.new, act.node)
            return state | other
        if act.does is Does.BIND:
            return state & ~(spoilt | _State.SHARED)
        if act.does is Does.SHARE:  # the old name is read, the new one bound to what it holds
            return _State.SHARED
        return state

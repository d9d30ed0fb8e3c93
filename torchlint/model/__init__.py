"""The model of one file, and the vocabulary that rules speak.

    file.text, file.source(node), file.span(node)       what stands where
    file.nodes(cst.X), file.parent(n), file.loops(n)    the tree; loops of the same function around a node, innermost first
    file.qualname(expr)                                 "torch.nn.Linear", through every form of import; None if unknown
    file.calls("torch.zeros", …)                        calls of imported names
    file.methods("append", …)                           calls `x.append(…)`, whatever x is
    file.classes()                                      the classes defined here, as `ClassModel`s
    file.value(expr)                                    what an expression yields: kind, graph, place, definition (`Value`)
    file.references(name)                               every use of a variable in the scope that binds it, in order
    file.is_after(a, b), file.function(n)               order in the text; the function that evaluates a node
    file.rebinds(loop, expr)                            whether a loop's body gives the variable or attribute a new value
    file.accumulations(), file.stores()                 what is added up, or put into a container, and outlives an iteration
    file.training_loops()                               loops that run backward and step, with what happens in them
    file.held_modules()                                 attributes that hold modules in plain containers, unregistered
    file.created_then_moved()                           tensors made on the CPU only to be copied to a device
    file.aliases()                                      `b = a` of tensors: which is changed in place, where the other is read
    file.never_runs(call)                               whether a wrapper is put around a module only for the keys of a checkpoint
    file.spelling("torch.nn.ModuleList", n)             how the imports in reach of a node let a dotted name be written

`FileModel` itself holds no logic: every answer comes from a module of its own, and is worked out when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TypeVar

import libcst as cst

from torchlint.model import aliases, callers, containers, moves, retention, spelling, training, unwrapping, waits
from torchlint.model.aliases import Alias
from torchlint.model.classes import Assigned, ClassModel, attribute_assignments
from torchlint.model.containers import HeldModules
from torchlint.model.expressions import by_binding, member
from torchlint.model.flow import Flow
from torchlint.model.happenings import Event, Happens
from torchlint.model.kinds import Graph, Kind, Place, Value
from torchlint.model.moves import CreatedThenMoved, Sure
from torchlint.model.names import Binds, Names
from torchlint.model.parsing import Parsed
from torchlint.model.project import Project
from torchlint.model.relevance import Relevance
from torchlint.model.retention import Store
from torchlint.model.source import Source
from torchlint.model.training import TrainingLoop, receiver
from torchlint.model.tree import Node, Tree
from torchlint.model.waits import Wait
from torchlint.settings import Settings

__all__ = [
    "Alias",
    "Binds",
    "ClassModel",
    "CreatedThenMoved",
    "Event",
    "FileModel",
    "Flow",
    "Graph",
    "Happens",
    "HeldModules",
    "Kind",
    "Place",
    "Project",
    "Store",
    "Sure",
    "TrainingLoop",
    "Value",
    "Wait",
    "receiver",
]

N = TypeVar("N", bound=cst.CSTNode)


class FileModel:
    """One parsed file. Raises `torchlint.model.parsing.Unreadable` for text that is not Python."""

    def __init__(
        self,
        text: str,
        settings: Settings | None = None,
        *,
        path: str = "<text>",
        project: Project | None = None,
        parsed: Parsed | None = None,
    ) -> None:
        self.text = text
        self.path = path
        self.settings = settings or Settings()
        self.project = project
        self.parsed = parsed or Parsed(text)
        self._flows: dict[Node, Flow] = {}
        self._running: set[Node] = set()
        self._recorded: dict[cst.FunctionDef, bool | None] = {}
        self._classes: dict[cst.ClassDef, ClassModel] = {}
        self._accumulations: list[retention.Accumulation] | None = None
        self._stores: list[retention.Store] | None = None

    def release(self) -> None:
        """Let go of everything that refers back to this model, so that it is freed at once and not by the garbage collector."""
        self._flows.clear()
        self._classes.clear()
        self._accumulations = self._stores = None
        for name in ("relevance", "attribute_assignments"):
            self.__dict__.pop(name, None)

    # -- the text -------------------------------------------------------------------------------------------------------

    @property
    def positions(self) -> Source:
        return self.parsed.positions

    def span(self, node: Node) -> tuple[int, int]:
        """`[start, end)` in characters: the node without its own parentheses."""
        return self.positions.span(node)

    def source(self, node: Node) -> str:
        """The node as it is written, without its own parentheses."""
        if isinstance(node, cst.BaseExpression) and not node.lpar:
            return self.module.code_for_node(node)  # the same, without the places of all other nodes
        start, end = self.span(node)
        return self.text[start:end]

    # -- the tree -------------------------------------------------------------------------------------------------------

    @property
    def module(self) -> cst.Module:
        return self.parsed.module

    @property
    def tree(self) -> Tree:
        return self.parsed.tree

    def nodes(self, kind: type[N]) -> list[N]:
        """All nodes of exactly this type, in document order."""
        return self.tree.nodes(kind)

    def parent(self, node: Node) -> Node | None:
        return self.tree.parents.get(node)

    def ancestors(self, node: Node) -> Iterator[Node]:
        """The nodes around this one, innermost first."""
        return self.tree.ancestors(node)

    def statement(self, node: Node) -> Node:
        """The statement line or compound statement that the node belongs to."""
        return self.tree.statement(node)

    def function(self, node: Node) -> Node:
        """The function, lambda or module whose code evaluates the node."""
        return self.tree.function(node)

    def loops(self, node: Node) -> list[cst.For | cst.While]:
        """The loops of the same function whose body holds the node, innermost first."""
        return list(self.tree.loops(node))

    def is_inside(self, node: Node, ancestor: Node) -> bool:
        return self.tree.is_inside(node, ancestor)

    def is_after(self, node: Node, earlier: Node) -> bool:
        """Whether the node begins later in the text."""
        return self.tree.order[node] > self.tree.order[earlier]

    # -- names ----------------------------------------------------------------------------------------------------------

    @property
    def names(self) -> Names:
        return self.parsed.names

    def qualname(self, node: Node) -> str | None:
        """The canonical dotted path of an imported name or of something reached through one."""
        return self.names.qualname(node)

    def calls(self, *qualnames: str) -> Iterator[cst.Call]:
        """The calls of these imported names, in document order."""
        wanted = set(qualnames)
        return (call for call in self.nodes(cst.Call) if self.names.qualname(call.func) in wanted)

    def methods(self, *names: str) -> Iterator[cst.Call]:
        """The calls `x.name(…)`, whatever `x` is."""
        for name in names:
            for attribute in self.tree.attributes.get(name, ()):
                call = self.tree.parents[attribute]
                if isinstance(call, cst.Call) and call.func is attribute:
                    yield call

    def references(self, name: cst.Name) -> list[cst.Name]:
        """Every appearance, in document order, of the variable that this name is bound to (or would be)."""
        scope = self.names.scope(name).lookup(name.value)
        return [each for each in self.tree.names.get(name.value, ()) if self.names.scope(each).lookup(each.value) is scope]

    def rebinds(self, loop: Node, target: Node) -> bool:
        """Whether the loop's body gives the variable, attribute or container a new value, or empties it."""
        return retention.rebinds(self, loop, target)

    # -- classes and functions ------------------------------------------------------------------------------------------

    def class_model(self, node: cst.ClassDef) -> ClassModel:
        model = self._classes.get(node)
        if model is None:
            model = self._classes[node] = ClassModel(self, node)
        return model

    def classes(self) -> Iterator[ClassModel]:
        """The classes defined in this file, in document order."""
        return (self.class_model(node) for node in self.nodes(cst.ClassDef))

    @cached_property
    def attribute_assignments(self) -> dict[cst.ClassDef, dict[str, list[Assigned]]]:
        """Every `self.x = …`, by class and attribute."""
        return attribute_assignments(self)

    def class_of(self, node: Node) -> ClassModel | None:
        """The project's class that an expression names."""
        if isinstance(node, cst.Name):
            binding = self.names.definition(node)
            if binding is not None and isinstance(binding.node, cst.ClassDef):
                return self.class_model(binding.node)
        path = self.qualname(node)
        found = self.project_value(path, node) if path is not None else None
        return found.definition if found is not None and isinstance(found.definition, ClassModel) else None

    def owner(self, function: Node) -> ClassModel | None:
        """The class whose method a function is."""
        block = self.parent(function)
        above = self.parent(block) if block is not None else None
        return self.class_model(above) if isinstance(above, cst.ClassDef) and block is above.body else None

    def called_with_gradients(self, function: cst.FunctionDef) -> bool | None:
        """Whether gradients are recorded where this file calls the function: True also where nobody does."""
        if function not in self._recorded:
            self._recorded[function] = True  # a function that calls itself adds nothing
            self._recorded[function] = callers.recorded(self, function)
        return self._recorded[function]

    def arguments_for(self, function: cst.FunctionDef, name: str, position: int) -> list[cst.BaseExpression]:
        """What the calls in this file hand over for one parameter."""
        return callers.arguments(self, function, name, position)

    def methods_called_on(self, function: cst.FunctionDef, name: str) -> set[str]:
        """The attributes that a function's body, nested functions included, asks of one variable."""
        return callers.uses(self, function, name)

    # -- values ---------------------------------------------------------------------------------------------------------

    def flow(self, function: Node) -> Flow:
        """The pass over a function, lambda or the module; while it is still running, as far as it has come."""
        flow = self._flows.get(function)
        if flow is None:
            flow = self._flows[function] = Flow(self, function)
            self._running.add(function)
            try:
                flow.run()
            finally:
                self._running.discard(function)
        return flow

    def flow_or_none(self, function: Node) -> Flow | None:
        """The finished pass over a function; None while it is running (recursion)."""
        return None if function in self._running else self.flow(function)

    def value(self, node: Node) -> Value:
        """What an expression yields."""
        return self.flow(self.function(node)).values.get(node) or Value(node=node)

    def free_value(self, flow: Flow, name: cst.Name) -> Value:
        return by_binding(flow, name)

    def attribute_value(self, flow: Flow, base: Value, node: cst.Attribute) -> Value:
        """An attribute of an instance of one of the project's classes."""
        assert isinstance(base.definition, ClassModel)
        name = node.attr.value
        value = base.definition.attribute(name)
        if value is not None:
            return value
        method = base.definition.method(name)
        if method is not None:
            decorators = [each.decorator for each in method[1].decorators]
            if any(isinstance(each, cst.Name) and each.value in ("property", "cached_property") for each in decorators):
                callee = method[0].flow_or_none(method[1])
                return (callee.returns if callee is not None else None) or Value(node=node)
            return Value(Kind.FUNCTION, graph=Graph.NO, node=node, definition=method)
        value = member(Value(base.kind, place=base.place, node=base.node), name, node)
        place = flow.place(node)
        if place is not None:
            flow.note_part(place)
            flow.env.places[place] = value
        return value

    def project_value(self, path: str, node: Node) -> Value | None:
        """What an imported name stands for, where another file of the project defines it."""
        return self.project.definition(self.path, path, node) if self.project is not None else None

    def exported(self, name: str, node: Node) -> Value | None:
        """What a name at the top of this file stands for, seen from another file."""
        bindings = self.names.module.bindings.get(name, ())
        if len(bindings) != 1:
            return None
        binding = bindings[0]
        if binding.how is Binds.FUNCTION:
            return Value(Kind.FUNCTION, graph=Graph.NO, node=node, definition=(self, binding.node))
        if isinstance(binding.node, cst.ClassDef):
            return Value(Kind.CLASS, graph=Graph.NO, node=node, definition=self.class_model(binding.node))
        if binding.how is Binds.IMPORT and binding.path is not None:
            return self.project_value(binding.path, node)
        return None

    def handles_graphs(self, function: Node) -> bool:
        """Whether values with a graph can occur in a function at all: a cheap look, worth taking before `value`."""
        return self.relevance.handles_graphs(function)

    @cached_property
    def relevance(self) -> Relevance:
        return Relevance(self)

    # -- questions about training ---------------------------------------------------------------------------------------

    def accumulations(self) -> list[retention.Accumulation]:
        """Every `total += x`, `total = total + x` and moving average that goes on from one iteration to the next."""
        if self._accumulations is None:
            self._accumulations = list(retention.accumulations(self))
        return self._accumulations

    def stores(self) -> list[retention.Store]:
        """Everything put into a container that outlives the iteration: append, subscript, `+= [x]`, comprehension."""
        if self._stores is None:
            self._stores = list(retention.stores(self))
        return self._stores

    def training_loops(self) -> list[training.TrainingLoop]:
        """The loops that run backward and take a step, with everything that happens in them."""
        return training.loops(self)

    # -- questions about tensors and modules ----------------------------------------------------------------------------

    def held_modules(self) -> Iterator[HeldModules]:
        """The attributes of module classes whose Python containers hold modules that nothing registers."""
        return containers.held_modules(self)

    def created_then_moved(self) -> Iterator[CreatedThenMoved]:
        """Every tensor that torch makes on the CPU only to copy it to a device."""
        return moves.created_then_moved(self)

    def aliases(self) -> Iterator[Alias]:
        """Every `b = a` between two local names where `a` is known to be a tensor."""
        return aliases.aliases(self)

    def spelling(self, path: str, place: Node) -> str | None:
        """How a dotted name is written at this place, with the imports that are in reach; None if none leads there."""
        return spelling.spelling(self, path, place)

    def never_runs(self, call: cst.Call) -> bool:
        """Whether what a call wraps around a module is taken off again before it is run."""
        return unwrapping.never_runs(self, call)

    def waits(self) -> Iterator[Wait]:
        """Where the host waits for the device in every iteration of a loop over batches."""
        return waits.waits(self)

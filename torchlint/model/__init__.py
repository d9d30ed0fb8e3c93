"""The vocabulary that rules speak: a closed list of questions about one file, each answered in a layer below.

    file.text, file.source(node), file.span(node)       what stands where
    file.nodes(cst.X), file.parent(n), file.ancestors(n), file.statement(n), file.function(n), file.is_after(a, b)   the tree
    file.qualname(expr)                                 "torch.nn.Linear", through every form of import; None if unknown
    file.spelling("torch.nn.ModuleList", n)             how the imports in reach of a node let a dotted name be written
    file.references(name)                               every use of a variable in the scope that binds it, in order
    file.value(expr)                                    what an expression yields: kind, graph, place, definition (`Value`)
    file.when(n), file.loops(n)                         what must hold for a node to be reached; the loops around it, innermost first
    file.uses_of(names)                                 where dotted names of libraries are used
    file.literal(expr)                                  what a literal spells out; `...` where it does not
    file.consumers(value), file.escapes(value)          what is computed from a value; whether code out of sight may get it
    file.memory                                         who shares memory, what is changed in place, where it is read after that
    file.operations("softmax", …), file.operation(call) calls of torch's operations in any form, arguments by name
    file.calls("torch.zeros", …)                        calls of imported names
    file.methods("append", …)                           calls `x.append(…)`, whatever x is
    file.discarded()                                    calls whose result is thrown away
    file.classes(), file.module_of(n)                   the classes defined here; the module whose method holds a node
    file.trainings()                                    loops that run backward and step, with what happens in them
    file.evaluations()                                  loops and functions that measure what a module yields, and train nothing
    file.torch(n)                                       the versions of torch that may run a node, oldest and newest, or doubt
    file.program                                        the whole program: seeds, processes, accelerators, its entry point, the settings
    file.analysis                                       the layers below, for the analysis that stands beside a rule (`_<concept>.py`)

What one family of rules alone needs is no question for this class: it stands beside the rules, and takes `file.analysis`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import cached_property
from typing import TypeVar

import libcst as cst

from torchlint.facts.versions import Range
from torchlint.model import conditions, dataflow, evaluation, naming, operations, releases, training
from torchlint.model.evaluation import Evaluation
from torchlint.model.memory import Memory
from torchlint.model.operations import Use
from torchlint.model.program import Program
from torchlint.model.training import TrainingLoop
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.events import Condition
from torchlint.values.value import Value

N = TypeVar("N", bound=cst.CSTNode)


class FileModel:
    """What rules may ask of one file."""

    def __init__(self, analysis: FileAnalysis) -> None:
        self.analysis = analysis

    # -- the text -------------------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        return self.analysis.text

    def source(self, node: Node, *, whole: bool = False) -> str:
        """The node as it is written, without its own parentheses, or with them."""
        if not whole:
            return self.analysis.source(node)
        start, end = self.analysis.positions.full_span(node)
        return self.text[start:end]

    def span(self, node: Node) -> tuple[int, int]:
        """`[start, end)` in characters: the node without its own parentheses."""
        return self.analysis.span(node)

    # -- the tree -------------------------------------------------------------------------------------------------------

    def nodes(self, kind: type[N]) -> list[N]:
        """All nodes of exactly this type, in document order."""
        return self.analysis.nodes(kind)

    def parent(self, node: Node) -> Node | None:
        return self.analysis.parent(node)

    def ancestors(self, node: Node) -> Iterator[Node]:
        """The nodes around this one, innermost first."""
        return self.analysis.ancestors(node)

    def statement(self, node: Node) -> Node:
        """The statement line or compound statement that the node belongs to."""
        return self.analysis.statement(node)

    def function(self, node: Node) -> Node:
        """The function, lambda or module whose code evaluates the node."""
        return self.analysis.function(node)

    def loops(self, node: Node) -> list[cst.For | cst.While]:
        """The loops of the same function whose body holds the node, innermost first."""
        return list(self.analysis.tree.loops(node))

    def when(self, node: Node) -> tuple[Condition, ...]:
        """What must hold for a node to be reached, outermost first: branches, early exits, short circuits."""
        return conditions.when(self.analysis, node)

    def is_shown(self, node: Node) -> bool:
        """Whether the node belongs to the last statement of a notebook's cell, whose value is displayed."""
        return self.analysis.is_shown(node)

    def is_after(self, node: Node, earlier: Node) -> bool:
        """Whether the node begins later in the text."""
        return self.analysis.is_after(node, earlier)

    # -- names and values -----------------------------------------------------------------------------------------------

    def qualname(self, node: Node) -> str | None:
        """The canonical dotted path of an imported name or of something reached through one."""
        return self.analysis.qualname(node)

    def spelling(self, path: str, place: Node) -> str | None:
        """How a dotted name is written at this place, with the imports that are in reach; None if none leads there."""
        return self.analysis.spelling(path, place)

    def references(self, name: cst.Name) -> list[cst.Name]:
        """Every appearance, in document order, of the variable that this name is bound to (or would be)."""
        return self.analysis.references(name)

    def uses_of(self, names: Container[str]) -> Iterator[tuple[cst.Name | cst.Attribute, str]]:
        """The expressions that stand for one of these dotted names, in document order, with the name; imports are left out."""
        return naming.uses_of(self.analysis, names)

    def value(self, node: Node) -> Value:
        """What an expression yields."""
        return self.analysis.value(node)

    def literal(self, node: Node) -> object:
        """The value that an expression spells out; `...` for one that does not."""
        return literal(node)

    def consumers(self, value: Value) -> list[Value]:
        """The values that are computed from this one directly, in the function that makes it."""
        return dataflow.consumers(self.analysis, value)

    def escapes(self, value: Value) -> bool:
        """Whether code out of sight may get hold of a value: returned, kept on an object, captured, handed to an unknown call."""
        return dataflow.escapes(self.analysis, value)

    def torch(self, node: Node) -> Range:
        """The versions of torch that may run a node: those that the project supports, within what checks around the node leave."""
        return releases.supported(self.analysis, node)

    @cached_property
    def program(self) -> Program:
        """The program that the file is a part of: what seeds it, how its processes start, whether it speaks of an accelerator."""
        return Program(self.analysis)

    @cached_property
    def memory(self) -> Memory:
        """Which values share memory, where they are changed in place, and where they are read after that."""
        return Memory(self.analysis)

    # -- what is called, defined and trained ----------------------------------------------------------------------------

    def operations(self, *names: str) -> Iterator[Use]:
        """Every call of these operations of torch as function, method or module, in document order."""
        return operations.uses(self.analysis, *names)

    def operation(self, call: cst.Call) -> Use | None:
        """The operation of torch that a call is; None where it is not positively known to be one."""
        return operations.use(self.analysis, call)

    def discarded(self) -> Iterator[cst.Call]:
        """Calls that stand alone as a statement: whatever they return is thrown away."""
        return operations.discarded(self.analysis)

    def calls(self, *qualnames: str) -> Iterator[cst.Call]:
        """The calls of these imported names, in document order."""
        return self.analysis.calls(*qualnames)

    def methods(self, *names: str) -> Iterator[cst.Call]:
        """The calls `x.name(…)`, whatever `x` is."""
        return self.analysis.methods(*names)

    def classes(self) -> Iterator[ClassModel]:
        """The classes defined in this file, in document order."""
        return self.analysis.classes()

    def module_of(self, node: Node) -> ClassModel | None:
        """The `torch.nn.Module` class whose method evaluates a node."""
        for each in self.analysis.ancestors(node):
            if isinstance(each, cst.ClassDef):
                model = self.analysis.class_model(each)
                return model if model.is_module else None
        return None

    def trainings(self) -> list[TrainingLoop]:
        """The loops that run backward and take a step, with everything that happens in them."""
        return training.loops(self.analysis)

    def evaluations(self) -> list[Evaluation]:
        """The loops, and functions without a backward, that call a module and measure what it yields."""
        return evaluation.evaluations(self.analysis)

"""What is known of one file: its passes, its classes, and what it gets from the other files of the project.

Everything is worked out when it is first asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any, TypeVar

import libcst as cst

from torchlint.facts.names import canonical
from torchlint.facts.versions import presence
from torchlint.program import callers, forms
from torchlint.program.classes import ClassModel, attribute_assignments
from torchlint.program.imports import Imports
from torchlint.program.relevance import Relevance
from torchlint.settings import Settings
from torchlint.syntax.names import Binds
from torchlint.syntax.parsing import Parsed
from torchlint.syntax.spelling import spelling
from torchlint.syntax.tree import Node
from torchlint.values.flow import Analysis, Flow
from torchlint.values.interpreter import run
from torchlint.values.references import BUILTINS
from torchlint.values.value import Assigned, ClassDefinition, Function, Graph, Kind, Value

T = TypeVar("T")
_TRAINS_OR_BUILDS = re.compile(r"\bnn\b|backward\(|\.step\(|\boptim\b")


class FileAnalysis(Analysis):
    """One file of a program. Raises `torchlint.syntax.parsing.Unreadable` for text that is not Python."""

    def __init__(
        self,
        text: str,
        settings: Settings | None = None,
        *,
        path: str = "<text>",
        imports: Imports | None = None,
        parsed: Parsed | None = None,
        evaluating: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`evaluating` is entered around every pass, so that whoever asks first does not pay for it."""
        super().__init__(text, path=path, parsed=parsed)
        self.settings = settings or Settings()
        self._imports = imports
        self._evaluating = evaluating
        self.namesakes: dict[str, Value | None] = {}
        self._by_star: dict[str, str | None] = {}
        self._flows: dict[Node, Flow] = {}
        self._running: set[Node] = set()
        self._recorded: dict[cst.FunctionDef, bool | None] = {}
        self._classes: dict[cst.ClassDef, ClassModel] = {}
        self._answers: dict[Callable[[FileAnalysis], Any], Any] = {}
        self._method_calls: dict[str, tuple[dict[cst.ClassDef, list[cst.Call]], list[cst.Call]]] = {}

    def release(self) -> None:
        """Let go of everything, so that the tree is freed at once and not by the garbage collector. Nothing is asked after it.

        Values may lead in a circle (a list that was put into itself) and from there to this file; now that way ends here.
        """
        for model in self._classes.values():
            model.release()
        self.__dict__.clear()

    def forget(self) -> None:
        """Let go of what was worked out, and is again where it is asked for; classes that others know by now stay as they are."""
        self._flows.clear()
        self._classes.clear()
        self.namesakes.clear()
        self._answers.clear()
        for name in ("relevance", "attribute_assignments", "subclasses"):
            self.__dict__.pop(name, None)

    # -- passes ---------------------------------------------------------------------------------------------------------

    def flow(self, function: Node) -> Flow:
        flow = self._flows.get(function)
        if flow is None:
            flow = self._flows[function] = Flow(self, function)
            self._running.add(function)
            try:
                with self._evaluating():
                    run(flow)
            finally:
                self._running.discard(function)
        return flow

    def evaluate(self) -> None:
        """The passes over all functions, in document order, before anything is asked: what is found depends on no rule's order.

        Files that neither train nor hold modules are mostly not about tensors at all. Nobody asks for most of their functions, and
        those few get their pass when they are asked for.
        """
        if forms.found(_TRAINS_OR_BUILDS, self.text) is not None:
            for kind in (cst.Module, cst.FunctionDef, cst.Lambda):
                for function in self.nodes(kind):
                    self.flow(function)

    def flow_or_none(self, function: Node) -> Flow | None:
        return None if function in self._running else self.flow(function)

    def once(self, question: Callable[[FileAnalysis], T]) -> T:
        """What a layer above finds out about the whole file: worked out for the first who asks, looked up by all others."""
        if question not in self._answers:
            self._answers[question] = question(self)
        answer: T = self._answers[question]
        return answer

    @cached_property
    def relevance(self) -> Relevance:
        return Relevance(self)

    def handles_graphs(self, function: Node) -> bool:
        """Whether backward runs in a function or in something it calls, or it calls what its name alone shows to be a module."""
        return self.relevance.handles_graphs(function)

    # -- classes and functions ------------------------------------------------------------------------------------------

    def class_model(self, node: cst.ClassDef) -> ClassModel:
        model = self._classes.get(node)
        if model is None:
            model = self._classes[node] = ClassModel(self, node)
        return model

    def classes(self) -> Iterator[ClassModel]:
        return (self.class_model(node) for node in self.nodes(cst.ClassDef))

    @cached_property
    def subclasses(self) -> dict[ClassDefinition, list[ClassModel]]:
        """The classes of this file by the classes that they inherit from, themselves left out."""
        found: dict[ClassDefinition, list[ClassModel]] = {}
        for model in self.classes():
            for base in model.ancestry[1:]:
                found.setdefault(base, []).append(model)
        return found

    @cached_property
    def attribute_assignments(self) -> dict[cst.ClassDef, dict[str, list[Assigned]]]:
        return attribute_assignments(self)

    def class_of(self, node: Node) -> ClassModel | None:
        if isinstance(node, cst.Name):
            binding = self.names.definition(node)
            if binding is not None and isinstance(binding.node, cst.ClassDef):
                return self.class_model(binding.node)
        path = self.qualname(node)
        found = self.project_value(path, node) if path is not None else None
        return found.definition if found is not None and isinstance(found.definition, ClassModel) else None

    def method_calls(self, name: str) -> tuple[dict[cst.ClassDef, list[cst.Call]], list[cst.Call]]:
        known = self._method_calls.get(name)
        if known is None:
            own: dict[cst.ClassDef, list[cst.Call]] = {}
            elsewhere: list[cst.Call] = []
            for call in self.methods(name):
                inner = call.func.value if isinstance(call.func, cst.Attribute) else None
                on_self = isinstance(inner, cst.Name) and inner.value == "self"
                around = next((each for each in self.ancestors(call) if isinstance(each, cst.ClassDef)), None) if on_self else None
                (elsewhere if around is None else own.setdefault(around, [])).append(call)
            known = self._method_calls[name] = own, elsewhere
        return known

    def owner(self, function: Node) -> ClassModel | None:
        node = self.owner_node(function)
        return self.class_model(node) if node is not None else None

    def called_with_gradients(self, function: cst.FunctionDef) -> bool | None:
        if function not in self._recorded:
            self._recorded[function] = True  # a function that calls itself adds nothing
            self._recorded[function] = callers.recorded(self, function)
        return self._recorded[function]

    def arguments_for(self, function: cst.FunctionDef, name: str, position: int) -> list[cst.BaseExpression]:
        return callers.arguments(self, function, name, position)

    def methods_called_on(self, function: cst.FunctionDef, name: str) -> set[str]:
        return callers.uses(self, function, name)

    # -- names ----------------------------------------------------------------------------------------------------------

    def qualname(self, node: Node) -> str | None:
        """As the file says, or as the modules do of which it imports everything."""
        found = self.names.qualname(node)
        if found is not None or not self.names.stars:
            return found
        if isinstance(node, cst.Attribute):
            head = self.qualname(node.value)
            return canonical(f"{head}.{node.attr.value}") if head is not None else None
        return self._starred(node.value) if isinstance(node, cst.Name) and not self.names.bindings(node) else None

    def spelling(self, path: str, place: Node) -> str | None:
        """How a place would write a dotted name, with the imports that are in reach there; None if none leads there."""
        found = spelling(self, path, place)
        if found is not None or not self.names.stars:
            return found
        parts, scope = path.split("."), self.names.scope(place)
        for first in reversed(range(len(parts))):
            if scope.lookup(parts[first]) is None and self._starred(parts[first]) == ".".join(parts[: first + 1]):
                return ".".join(parts[first:])
        return None

    def _starred(self, word: str) -> str | None:
        if word in BUILTINS or word.startswith("_"):
            return None
        if word not in self._by_star:
            self._by_star[word] = self._find_starred(word)
        return self._by_star[word]

    def _find_starred(self, word: str) -> str | None:
        for base in reversed(self.names.stars):  # the last one wins
            path = base + word if base.endswith(".") else f"{base}.{word}"
            if base.partition(".")[0] == "torch":
                if presence(path) is not None:
                    return canonical(path)
            elif self._imports is None or not self._imports.offers(self.path, base):
                return None  # it may be anything
            else:
                found = self._imports.origin(self.path, path)
                if found is not None:
                    return canonical(found)
        return None

    # -- the program around ---------------------------------------------------------------------------------------------

    def project_value(self, path: str, node: Node) -> Value | None:
        return self._imports.definition(self.path, path, node) if self._imports is not None else None

    def imports_training(self, path: str) -> bool:
        """Whether an imported function or class of the project runs backward itself."""
        return self._imports is not None and self._imports.trains(self.path, path)

    def is_named_elsewhere(self, word: str) -> bool:
        """Whether another file of the run uses a word."""
        return self._imports is not None and self._imports.names_elsewhere(self.path, word)

    def is_written(self, pattern: re.Pattern[str]) -> bool:
        """Whether something of this form stands in the text of a file of the run, this one included."""
        return forms.found(pattern, self.text) is not None or self.is_written_elsewhere(pattern)

    def is_written_elsewhere(self, pattern: re.Pattern[str]) -> bool:
        """The same without this file."""
        return self._imports is not None and self._imports.writes_elsewhere(self.path, pattern)

    def found_elsewhere(self, pattern: re.Pattern[str]) -> tuple[tuple[str, int], ...] | None:
        """In which other files of the run it stands, and in which line first; None where there are too many to look."""
        return self._imports.found_elsewhere(self.path, pattern) if self._imports is not None else ()

    def is_reached_elsewhere(self, attribute: str, of: str) -> bool:
        """Whether another file of the run may ask an instance of the class `of` for this attribute."""
        return self._imports is not None and self._imports.reaches_elsewhere(self.path, attribute, of)

    def called_elsewhere(self, function: cst.FunctionDef) -> list[tuple[FileAnalysis, cst.Call]] | None:
        """The calls of a function at the top of this file in other files of the run, each with its file; None where too many call it."""
        name, found = function.name.value, []
        views = self._imports.callers(self.path, name) if self._imports is not None else ()
        for view in views if views is not None else ():
            for call in view.nodes(cst.Call):
                func = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
                if isinstance(func, cst.Name) and func.value == name and isinstance(view, FileAnalysis):
                    run = view.value(call.func).definition
                    if isinstance(run, Function) and os.path.abspath(run.file.path) == os.path.abspath(self.path):
                        found.append((view, call))
        return found if views is not None else None

    def exported(self, name: str, node: Node) -> Value | None:
        """What a name at the top of this file stands for, seen from another file."""
        bindings = self.names.module.bindings.get(name, ())
        if len(bindings) != 1:
            return None
        binding = bindings[0]
        if binding.how is Binds.FUNCTION:
            return Value(Kind.FUNCTION, graph=Graph.NO, node=node, definition=Function(self, binding.node))
        if isinstance(binding.node, cst.ClassDef):
            return Value(Kind.CLASS, graph=Graph.NO, node=node, definition=self.class_model(binding.node))
        if binding.how is Binds.IMPORT and binding.path is not None:
            return self.project_value(binding.path, node)
        return None

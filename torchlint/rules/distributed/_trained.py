"""What becomes of a module that is wrapped: whether it is trained through the wrap, as far as it can be followed.

It is followed through names, attributes of `self`, results and arguments of the project's functions. Where it is handed to somebody out of
sight, it may be trained there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from itertools import combinations

import libcst as cst

from torchlint.facts.modules import PARALLEL_WRAPPERS
from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.distributed._calling import definition, parameter
from torchlint.rules.distributed._unwrapping import PASSES_ON
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Happens
from torchlint.values.references import BUILTINS
from torchlint.values.value import Function, Kind, Value

_PARAMETERS = frozenset({"parameters", "named_parameters"})
_SPEAKS = re.compile(r"^(?:info|debug|warning|write|log|print|watch|add_graph|summary)$")
_IDLE = (cst.Expr, cst.AssignTarget, cst.Param, cst.Del, cst.Comparison, cst.ComparisonTarget, cst.If, cst.IfExp, cst.Assert)
"""What stands around a name of which nothing is asked."""
_FAR = 6
"""Through how many hands a module is followed."""


class Use(Enum):
    """What is done with a module."""

    STEPPED = "stepped"
    """An optimizer gets its parameters."""
    TRAINED = "trained"
    """Backward runs through its output."""
    RUN = "run"
    REPEATED = "repeated"
    """It runs several times before one backward goes through all of it."""
    HANDED = "handed on"
    """Somebody out of sight gets it."""


def uses(file: FileAnalysis, wrap: cst.Call) -> set[Use]:
    """What the program does with a wrapped module; nothing, where it is never called."""
    following = _Following()
    done = set(following.value(file, wrap, _FAR))
    return done | {Use.REPEATED} if following.is_repeated() else done


def promises(file: FileAnalysis, node: Node) -> bool:
    """Whether the function or class around a node says in its name, or the class in its description, that it wraps just so."""
    for each in file.ancestors(node):
        if isinstance(each, (cst.FunctionDef, cst.ClassDef)):
            words = each.name.value if isinstance(each, cst.FunctionDef) else f"{each.name.value} {each.get_docstring() or ''}"
            if re.search("data_?parallel", words, re.IGNORECASE):
                return True
    return False


def is_part(file: FileAnalysis, wrap: cst.Call) -> bool:
    """Whether a part of a module is wrapped, `model.features = Wrapper(model.features)`, and the rest is left outside."""
    owner = file.owner(file.function(wrap))
    if owner is not None and owner.is_module:
        return True
    assign = next((each for each in file.ancestors(wrap) if isinstance(each, (cst.Assign, cst.BaseCompoundStatement))), None)
    target = assign.targets[0].target if isinstance(assign, cst.Assign) and len(assign.targets) == 1 else None
    if not isinstance(target, cst.Attribute) or isinstance(target.value, cst.Name) and target.value.value == "self":
        return False
    return any(isinstance(each, cst.Attribute) and each.deep_equals(target) for each in file.inside(wrap, cst.Attribute))


class _Following:
    """One module on its way through the program."""

    def __init__(self) -> None:
        self._seen: set[Node] = set()
        self._run_at: set[Node] = set()
        self._passes: dict[Node, list[tuple[FileAnalysis, cst.Call]]] = {}
        """For each backward, the calls that it is known to go through."""

    def is_repeated(self) -> bool:
        """Whether one backward goes through two calls that are not in different arms of a condition."""
        return any(
            one is not other and not _apart(file, one, other)
            for passes in self._passes.values()
            for (file, one), (_, other) in combinations(passes, 2)
        )

    def value(self, file: FileAnalysis, node: Node, far: int) -> Iterator[Use]:
        """What is done with an expression that yields the module."""
        above = file.parent(node)
        while True:
            outer = file.parent(above) if above is not None else None
            passes = isinstance(above, cst.Attribute) and above.attr.value in PASSES_ON and isinstance(outer, cst.Call)
            if passes and outer is not None:
                node, above = outer, file.parent(outer)
            elif isinstance(above, cst.IfExp) and above.test is not node or isinstance(above, cst.Await):
                node, above = above, outer
            else:
                break
        if above is None or node in self._seen:
            return
        self._seen.add(node)
        if isinstance(above, (cst.Assign, cst.AnnAssign)):
            targets = [each.target for each in above.targets] if isinstance(above, cst.Assign) else [above.target]
            for target in targets:
                yield from self._held(file, target, above, far)
        elif isinstance(above, cst.Return):
            yield from self._returned(file, file.function(above), far)
        elif isinstance(above, cst.Arg):
            yield from self._given(file, above, far)
        elif isinstance(above, cst.Call):
            done = self._run(file, above, far)
            if done is Use.TRAINED or not _is_single(file, above):
                yield done
        elif isinstance(above, cst.Attribute):
            yield from self._asked(file, above, far)
        elif not isinstance(above, _IDLE):
            yield Use.HANDED

    def _held(self, file: FileAnalysis, target: Node, assign: Node, far: int) -> Iterator[Use]:
        if isinstance(target, cst.Name):
            for use in file.references(target):
                elsewhere = file.function(use) is not file.function(target)
                if elsewhere or file.is_after(use, assign) and not file.is_inside(use, assign) and not _apart(file, assign, use):
                    yield from self.value(file, use, far)
        elif isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name) and target.value.value == "self":
            owner = file.owner(file.function(target))
            if isinstance(owner, ClassModel):
                yield from self._attribute(file, owner, target.attr.value, far)
            else:
                yield Use.HANDED
        else:
            yield Use.HANDED

    def _attribute(self, file: FileAnalysis, owner: ClassModel, name: str, far: int) -> Iterator[Use]:
        """What the methods of a class, and of its relatives, do with an attribute."""
        family = {owner.node, *(each.node for each in owner.ancestry), *(each.node for each in file.subclasses.get(owner, ()))}
        for each in file.tree.attributes.get(name, ()):
            if isinstance(each.value, cst.Name) and each.value.value == "self":
                around = next((above for above in file.ancestors(each) if isinstance(above, cst.ClassDef)), None)
                if around in family:
                    yield from self.value(file, each, far)
        if file.is_written_elsewhere(re.compile(rf"\bclass\s+\w+\([^)]*\b{owner.name}\b")):
            yield Use.HANDED

    def _returned(self, file: FileAnalysis, function: Node, far: int) -> Iterator[Use]:
        """What is done with the result of a function, which nobody may ask for."""
        if not isinstance(function, cst.FunctionDef):
            yield Use.HANDED
            return
        if far:
            for site in callers.calls(file, function):
                yield from self.value(file, site, far - 1)
        if file.is_written_elsewhere(re.compile(rf"(?<!\bdef )\b{function.name.value}\s*\(")):
            yield Use.HANDED

    def _given(self, file: FileAnalysis, arg: cst.Arg, far: int) -> Iterator[Use]:
        call = file.parent(arg)
        if not isinstance(call, cst.Call):
            return
        path, called = file.qualname(call.func), file.value(call.func)
        if path in PARALLEL_WRAPPERS or path == "torch.compile":
            yield from self.value(file, call, far)
            return
        run = definition(file, call, called)
        if isinstance(run, Function) and isinstance(run.file, FileAnalysis) and isinstance(run.node, cst.FunctionDef):
            name = parameter(run.file, run.node, call, arg)
            if name is not None and far:
                for use in run.file.tree.within(run.file.tree.names.get(name.value, ()), run.node.body):
                    yield from self.value(run.file, use, far - 1)
                return
        if path is not None and file.imports_training(path):
            yield Use.TRAINED
        elif (path or "").partition(".")[0] != "torch" and not _is_harmless(call.func):
            yield Use.HANDED

    def _asked(self, file: FileAnalysis, attribute: cst.Attribute, far: int) -> Iterator[Use]:
        above = file.parent(attribute)
        if attribute.attr.value == "module" and isinstance(above, cst.Attribute):
            attribute, above = above, file.parent(above)
        if not isinstance(above, cst.Call) or above.func is not attribute:
            return
        if attribute.attr.value == "forward":
            yield self._run(file, above, far)
        elif attribute.attr.value in _PARAMETERS and _is_stepped(file, above):
            yield Use.STEPPED

    def _run(self, file: FileAnalysis, call: cst.Call, far: int) -> Use:
        """Whether backward runs through what a call returns, there or where its function's result goes."""
        if call in self._run_at or callers.records(file, call) is False:
            return Use.RUN
        self._run_at.add(call)
        function = file.function(call)
        flow = file.flow(function)
        output = flow.values.get(call)
        trained = False
        for event in flow.events.values():
            if event.what is not Happens.BACKWARD:
                continue
            if event.target is not None and output is not None and _reaches(event.target, output):
                trained = True
                if not _is_optional(file, call, event.site):
                    self._passes.setdefault(event.site, []).append((file, call))
            trained = trained or event.target is None
        if trained:
            return Use.TRAINED
        if (
            far
            and isinstance(function, cst.FunctionDef)
            and output is not None
            and flow.returns is not None
            and _reaches(flow.returns, output)
        ):
            sites = callers.calls(file, function)
            if any(self._run(file, site, far - 1) is Use.TRAINED for site in sites):
                return Use.TRAINED
        return Use.RUN


def _reaches(target: Value, output: Value) -> bool:
    return any(each is output for each in target.trained())


def _is_single(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a module is given one sample, `x.unsqueeze(0)`: then only one GPU works, and the module is copied to no other."""
    given = call.args[0].value if call.args else None
    made = [each.value for each in file.names.bindings(given)] if isinstance(given, cst.Name) else [given]
    calls = (each for value in made if value is not None for each in descendants(value) if isinstance(each, cst.Call))
    return any(
        isinstance(each.func, cst.Attribute)
        and each.func.attr.value == "unsqueeze"
        and len(each.args) == 1
        and literal(each.args[0].value) == 0
        for each in calls
    )


def _is_stepped(file: FileAnalysis, parameters: cst.Call) -> bool:
    """Whether an optimizer gets these parameters, or their gradients are clipped."""
    given = file.value(parameters)
    flow = file.flow(file.function(parameters))
    if any(each.kind is Kind.OPTIMIZER and any(part is given for part in each.lineage()) for each in flow.values.values()):
        return True
    around = (each for each in file.ancestors(parameters) if isinstance(each, cst.Call))
    return any((file.qualname(each.func) or "").startswith(("torch.optim.", "torch.nn.utils.clip_grad")) for each in around)


def _is_harmless(func: Node) -> bool:
    """Whether a call of Python's, or one that writes a log, only looks at what it gets."""
    if isinstance(func, cst.Name):
        return func.value in BUILTINS
    return isinstance(func, cst.Attribute) and _SPEAKS.match(func.attr.value) is not None


def _is_optional(file: FileAnalysis, node: Node, other: Node) -> bool:
    """Whether a node is left out where a condition does not hold, and the other one is not."""
    return any(each.orelse is None and not file.is_inside(other, each) for each, _ in _arms(file, node))


def _apart(file: FileAnalysis, one: Node, other: Node) -> bool:
    """Whether two nodes stand in different arms of one condition."""
    arms = dict(_arms(file, one))
    return any(each in arms and arms[each] is not child for each, child in _arms(file, other))


def _arms(file: FileAnalysis, node: Node) -> Iterator[tuple[cst.If, Node]]:
    child = node
    for each in file.ancestors(node):
        if isinstance(each, cst.If) and child is not each.test:
            yield each, child
        child = each

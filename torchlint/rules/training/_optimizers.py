"""Where optimizers of torch are made, of which modules' parameters, and who gets hold of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts import modules as known
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Happens
from torchlint.values.gradients import switched
from torchlint.values.value import Function, Kind, Value

_HARMLESS = frozenset("zero_grad param_groups state_dict load_state_dict defaults state".split())
"""What may be asked of an optimizer without a step."""
_PUTS_IN = re.compile(r"\bsetattr\(|\.(?:add_module|register_module|register_parameter)\(")


@dataclass(eq=False)
class Built:
    """An optimizer, where it is made."""

    file: FileAnalysis
    call: cst.Call
    value: Value

    @property
    def modules(self) -> list[Value]:
        """The modules whose parameters it was given, if that is all it was given."""
        given = self.value.sources[0] if self.value.sources else None
        if given is None or given.kind is not Kind.PARAMETERS:
            return []
        return [each for each in given.sources if each.kind is Kind.MODULE]

    @property
    def keeps_state(self) -> bool:
        """Whether it remembers anything from one step to the next."""
        plain = (self.value.qualname or "").endswith(".SGD")
        momentum = next((arg.value for arg in self.call.args if arg.keyword is not None and arg.keyword.value == "momentum"), None)
        spread = any(arg.star for arg in self.call.args)
        return not plain or spread or len([arg for arg in self.call.args if arg.keyword is None]) > 2 or literal(momentum) not in (0, ...)

    @property
    def target(self) -> cst.Name | cst.Attribute | None:
        """The variable or attribute that it is bound to."""
        statement = self.file.parent(self.call)
        if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
            target = statement.targets[0].target
            return target if isinstance(target, (cst.Name, cst.Attribute)) else None
        return None

    def is_used_after(self, node: Node) -> bool:
        """Whether anybody may step it after a place: it is named there, or kept on an object."""
        target = self.target
        return not isinstance(target, cst.Name) or any(self.file.is_after(each, node) for each in self.file.references(target))

    def is_handed_on(self) -> bool:
        """Whether anything but clearing may be done with it: it is stepped, given to somebody, returned, or has no name."""
        target = self.target
        if isinstance(target, cst.Name):
            return any(map(self._may_step, self.file.references(target)))
        owner = self.file.owner(self.file.function(self.call))
        if not isinstance(target, cst.Attribute) or owner is None or owner.is_open or self.file.subclasses.get(owner):
            return True
        if self.file.is_reached_elsewhere(target.attr.value, owner.name):
            return True
        return any(map(self._may_step, self.file.tree.attributes.get(target.attr.value, ())))

    def _may_step(self, use: Node) -> bool:
        above = self.file.parent(use)
        if isinstance(above, cst.Attribute) and above.value is use:
            return above.attr.value not in _HARMLESS
        if isinstance(above, cst.AssignTarget):
            return False
        call = self.file.parent(above) if isinstance(above, cst.Arg) else None
        if isinstance(call, cst.Call):
            return not (self.file.qualname(call.func) or "").startswith("torch.optim.lr_scheduler.")
        return True


def built(file: FileAnalysis) -> Iterator[Built]:
    """Every optimizer of torch that a file makes, in document order."""
    for call in file.nodes(cst.Call):
        path = file.qualname(call.func) or ""
        if path.startswith("torch.optim.") and path.count(".") == 2 and path[12:13].isupper():
            value = file.value(call)
            if value.kind is Kind.OPTIMIZER:
                yield Built(file, call, value)


def freezing(made: Built, module: Value) -> Node | None:
    """Where all parameters of a module were frozen before an optimizer took them, if nothing brings any of them back."""
    file = made.file
    home = file.function(made.call)
    found: Node | None = None
    for loop in file.nodes(cst.For):
        frozen, wants = switched(loop)
        if frozen is not None and not wants and file.value(frozen) is module:
            found = loop
    for call in file.methods("requires_grad_"):
        if isinstance(call.func, cst.Attribute) and file.value(call.func.value) is module and _freezes(call):
            found = call
    if found is None or file.function(found) is not home or file.is_after(found, made.call) or thaws(file):
        return None
    flow = file.flow(home)
    if not set(map(id, flow.when.get(file.statement(found), ()))) <= set(map(id, flow.when.get(file.statement(made.call), ()))):
        return None  # frozen on some ways only
    for event in flow.events.values():
        if event.what is Happens.OPAQUE and file.is_after(event.site, found) and any(each is module for each in event.values):
            return None  # it may be thawed, or given new layers
    renewed = (*replacements(file, home, module), *_rebuilding(file, home, module))
    return None if any(file.is_after(each, found) for each in renewed) else found


def _rebuilding(file: FileAnalysis, function: Node, module: Value) -> Iterator[Node]:
    """Where a function hands a module to one of the project that puts something into what it is given: `setattr(module, name, …)`."""
    for call in file.tree.within(file.nodes(cst.Call), function):
        if file.function(call) is function and any(file.value(each.value) is module for each in call.args):
            callee = file.value(call.func).definition
            if isinstance(callee, Function) and _PUTS_IN.search(callee.file.source(callee.node)):
                yield call


def _freezes(call: cst.Call) -> bool:
    return bool(call.args) and literal(call.args[0].value) is False


def thaws(file: FileAnalysis) -> bool:
    """Whether the file lets parameters take gradients, or may."""
    for node in file.nodes(cst.Assign):
        target = node.targets[0].target
        if isinstance(target, cst.Attribute) and target.attr.value == "requires_grad" and literal(node.value) is not False:
            return True
    return any(not _freezes(call) for call in file.methods("requires_grad_"))


def replacements(file: FileAnalysis, function: Node, module: Value) -> Iterator[Node]:
    """Where a function gives a module, or a part of it, a new part: `model.fc = …`, `model.head[0] = …`, `model.layers.append(…)`."""
    for node in file.tree.within(file.nodes(cst.Assign), function):
        targets = [each.target for each in node.targets if isinstance(each.target, (cst.Attribute, cst.Subscript))]
        if file.function(node) is function and any(_is_part_of(file, each.value, module) for each in targets):
            yield node
    for name in ("add_module", "append", "register_parameter", "register_module"):
        for call in file.tree.within(list(file.methods(name)), function):
            if isinstance(call.func, cst.Attribute) and file.function(call) is function and _is_part_of(file, call.func.value, module):
                yield call


def _is_part_of(file: FileAnalysis, node: Node, module: Value) -> bool:
    while True:
        if file.value(node) is module:
            return True
        if not isinstance(node, (cst.Attribute, cst.Subscript)):
            return False
        node = node.value


def new_part(file: FileAnalysis, replacement: Node) -> cst.BaseExpression | None:
    """What is put in, if it is made there and has weights of its own: a layer of torch or of the project, a parameter."""
    given = replacement.value if isinstance(replacement, cst.Assign) else None
    if isinstance(replacement, cst.Call) and replacement.args:
        given = replacement.args[-1].value
    if not isinstance(given, cst.Call):
        return None
    value = file.value(given)
    path = value.qualname or ""
    if isinstance(value.definition, ClassModel) and value.kind is Kind.MODULE:
        return given if value.definition.has_weights else None
    if path == "torch.nn.Sequential":
        parts = [each for each in descendants(given) if isinstance(each, cst.Call) and each is not given]
        return given if any(_has_weights(file.value(each).qualname or "") for each in parts) else None
    return given if _has_weights(path) else None


def _has_weights(path: str) -> bool:
    return path == "torch.nn.Parameter" or path in known.MODULES_WITH_WEIGHTS

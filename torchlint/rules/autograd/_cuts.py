"""Losses that go backward without a way back to any weight: made anew of numbers, or cut off from the graph that led to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.modules import GRAD_OFF
from torchlint.facts.tensors import ALIASING_CONSTRUCTORS, FACTORIES, WITHOUT_GRAPH
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Graph, Value

_WRAPPERS = frozenset("torch.tensor torch.as_tensor torch.from_numpy torch.scalar_tensor torch.asarray torch.autograd.Variable".split())


@dataclass(frozen=True)
class Cut:
    backward: Node
    place: Node | None
    """Where the graph ends, if not in the backward's own expression."""
    is_leaf: bool
    """Whether what goes backward is a leaf of its own, so that nothing is raised."""


def cuts(file: FileAnalysis) -> Iterator[Cut]:
    for function in dict.fromkeys(file.function(call) for call in (*file.methods("backward"), *file.calls("torch.autograd.backward"))):
        flow = file.flow(function)
        for event in flow.events.values():
            loss = event.target
            if event.what is not Happens.BACKWARD or event.chain or loss is None or event.file is not file:
                continue
            place = _new_leaf(file, function, loss)
            if place is not None:
                yield Cut(event.node, _elsewhere(file, place, event.node), is_leaf=True)
            elif loss.is_tensor and loss.graphless and not loss.optional and not loss.is_joined:
                place = _ending(file, flow, loss)
                if place is not None and not _is_caught(file, event.node):
                    yield Cut(event.node, _elsewhere(file, place, event.node), is_leaf=False)


def _is_caught(file: FileAnalysis, backward: Node) -> bool:
    """Whether the exception that it raises is what the program waits for."""
    blocks = (each for each in file.ancestors(backward) if isinstance(each, cst.Try) and file.is_inside(backward, each.body))
    caught = (file.source(handler.type) for block in blocks for handler in block.handlers if handler.type is not None)
    return any(name.rpartition(".")[2] == "RuntimeError" for name in caught)


def _elsewhere(file: FileAnalysis, place: Node, backward: Node) -> Node | None:
    return None if file.is_inside(place, backward) else place


def _new_leaf(file: FileAnalysis, function: Node, loss: Value) -> Node | None:
    """The constructor that was asked for a trainable tensor of something computed, where nobody looks at its gradient."""
    made = loss.node
    if not isinstance(made, cst.Call) or file.qualname(made.func) not in _WRAPPERS or not made.args or file.function(made) is not function:
        return None
    wanted = next((each.value for each in made.args if each.keyword is not None and each.keyword.value == "requires_grad"), None)
    if literal(wanted) is not True or literal(made.args[0].value) is not ... or made.args[0].keyword is not None:
        return None
    asked = any(file.value(each.value) is loss for each in file.attributes_inside(function, "grad"))
    return None if asked else made


def _ending(file: FileAnalysis, flow: Flow, loss: Value) -> Node | None:
    """Where in this function the graph of a loss ends for sure: each of the values behind it is without one, and left alone."""
    lineage = {id(each): each for each in _without_graph(loss)}
    handed = (each for event in flow.events.values() if event.what is Happens.OPAQUE for each in event.values)
    if any(id(each) in lineage for each in handed) or _is_written(file, flow, lineage):
        return None  # somebody may have computed into it, or asked it for gradients
    found: Node | None = None
    for value in lineage.values():
        made = value.node
        if made is None or made not in file.tree.order or file.function(made) is not flow.node:
            return None
        if found is None and (_cuts(file, made) or _is_without_gradients(file, made)):
            found = made
    return found


def _without_graph(loss: Value) -> Iterator[Value]:
    """The tensors that a loss was computed from, up to where each comes from something else."""
    seen: set[int] = set()
    stack = [loss]
    while stack:
        value = stack.pop()
        if id(value) in seen or not value.is_tensor or value.graph is not Graph.NO and value is not loss:
            continue
        seen.add(id(value))
        yield value
        stack += value.sources if value.pure else ()


def _cuts(file: FileAnalysis, made: Node) -> bool:
    """`x.detach()`, `x.data`, `torch.tensor(x)`, `x.argmax()`, `x > 0`: no factory, whose zeros somebody may add to."""
    if isinstance(made, cst.Comparison) or isinstance(made, cst.Attribute) and made.attr.value == "data":
        return True
    if not isinstance(made, cst.Call):
        return False
    path = file.qualname(made.func)
    if path is None:
        return isinstance(made.func, cst.Attribute) and made.func.attr.value in WITHOUT_GRAPH
    owner, _, name = path.rpartition(".")
    if path in _WRAPPERS or path in ALIASING_CONSTRUCTORS:
        return bool(made.args) and literal(made.args[0].value) is ...
    return owner in ("torch", "torch.nn.functional") and name in WITHOUT_GRAPH and path not in FACTORIES


def _is_without_gradients(file: FileAnalysis, made: Node) -> bool:
    blocks = [each for each in file.ancestors(made) if isinstance(each, cst.With) and file.function(each) is file.function(made)]
    contexts = [item.item for block in blocks for item in block.items]
    paths = [file.qualname(each.func) for each in contexts if isinstance(each, cst.Call) and not each.args]
    return (
        any(path in GRAD_OFF for path in paths) and len(paths) == len(contexts) and not any(path == "torch.enable_grad" for path in paths)
    )


def _is_written(file: FileAnalysis, flow: Flow, lineage: dict[int, Value]) -> bool:
    for target in file.inside(flow.node, cst.AssignTarget):
        if isinstance(target.target, cst.Subscript) and id(file.value(target.target.value)) in lineage:
            return True
    return any(
        isinstance(call.func, cst.Attribute)
        and call.func.attr.value.endswith("_")
        and call.func.attr.value not in ("detach_",)
        and id(file.value(call.func.value)) in lineage
        for call in file.inside(flow.node, cst.Call)
    )

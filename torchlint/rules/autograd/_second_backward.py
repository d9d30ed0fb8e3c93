"""Whether a graph that a backward keeps can be gone through again: by another backward, or by one of the next iteration.

Only what is known all the way is called needless. A module of which nothing is known may keep a state with a graph from call to call.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.signatures import signatures
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node, descendants
from torchlint.values.binding import bind_any
from torchlint.values.events import Happens
from torchlint.values.value import ClassDefinition, Graph, Kind, Value

_COMPUTED = (Kind.TENSOR, Kind.UNKNOWN, Kind.OBJECT)


def needless(file: FileAnalysis) -> Iterator[tuple[cst.Call, cst.Arg]]:
    """The backward calls in loops that keep a graph for nobody, with the argument that says so."""
    for call in file.methods("backward"):
        kept = next((each for each in call.args if each.keyword is not None and each.keyword.value == "retain_graph"), None)
        loops = list(file.tree.loops(call))
        if kept is None or not loops or bind_any(call, signatures("torch.Tensor.backward")).literal("retain_graph") is not True:
            continue
        flow = file.flow(file.function(call))
        runs = [each for each in flow.events.values() if each.what is Happens.BACKWARD and each.node is call and not each.chain]
        opaque = {each.node for each in flow.events.values() if each.what is Happens.OPAQUE}
        if runs and all(run.target is not None and _is_gone_through_once(file, run.target, call, loops[0], opaque) for run in runs):
            yield call, kept


def takes_batches(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a loop around a backward goes over batches, as those that train for long do."""
    loops = [each for each in file.tree.loops(call) if isinstance(each, cst.For)]
    if any(part.kind is Kind.LOADER for each in loops for part in file.value(each.iter).lineage()):
        return True
    return any(file.value(name).batch for each in loops for name in descendants(each.target) if isinstance(name, cst.Name))


def _is_gone_through_once(file: FileAnalysis, loss: Value, call: cst.Call, loop: Node, opaque: set[Node]) -> bool:
    seen: set[int] = set()
    stack = [loss]
    while stack:
        value = stack.pop()
        if id(value) in seen or value.leaf or value.batch or value.graph is Graph.NO or value.kind not in _COMPUTED:
            continue
        seen.add(id(value))
        made = value.node
        if made is None or made in opaque or made not in file.tree.order or not file.is_inside(made, loop):
            return False  # carried from one iteration to the next, made before the loop, or nobody knows by what
        if any(each is not call for each in (*value.differentiated, *value.roots)):
            return False
        module = file.value(made.func) if isinstance(made, cst.Call) else None
        if module is not None and module.kind is Kind.MODULE:
            if not _is_stateless(module):
                return False
        elif not value.pure:
            return False
        stack += value.sources
    return True


def _is_stateless(module: Value) -> bool:
    if module.cls is not None:
        return _sets_nothing(module.cls, set())
    return module.qualname is not None and module.qualname.startswith("torch.nn.")


def _sets_nothing(model: ClassDefinition, seen: set[int]) -> bool:
    """Whether neither the module nor one inside of it sets attributes outside of its constructor."""
    if id(model) in seen:
        return True
    seen.add(id(model))
    if model.is_open or not model.is_module:
        return False
    for each in model.ancestry:
        for name, assigned in each.assignments.items():
            if any(method.name.value != "__init__" for method, _, _ in assigned):
                return False
            held = each.attribute(name)
            for part in held.lineage() if held is not None else ():
                if part.cls is not None and part.kind is Kind.MODULE and not _sets_nothing(part.cls, seen):
                    return False
                if part.kind is Kind.MODULE and part.cls is None and not (part.qualname or "").startswith("torch.nn."):
                    return False
    return True

"""Spans of time that are measured around work of the device, without waiting for it to be done."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.tensors import SYNCHRONISING_METHODS
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import HotLoops, last_name
from torchlint.syntax.tree import Node
from torchlint.values.algebra import whereabouts
from torchlint.values.value import Kind, Place

_CLOCKS = frozenset({"time.time", "time.perf_counter", "time.monotonic", "time.time_ns", "time.perf_counter_ns", "timeit.default_timer"})
_WAITS = frozenset({*SYNCHRONISING_METHODS, "synchronize", "wait", "barrier", "float", "int", "print", "save", "elapsed_time"})


def unawaited_spans(file: FileAnalysis) -> Iterator[tuple[cst.BinaryOperation, cst.Call]]:
    """`time.time() - start`, and the last work of the device that is put to it and may not be done."""
    hot = HotLoops(file)
    for span in file.nodes(cst.BinaryOperation):
        if not isinstance(span.operator, cst.Subtract):
            continue
        stop, start = _reading(file, span.left, span), _reading(file, span.right, span)
        if stop is None or start is None or not file.is_after(stop, start):
            continue
        if next(file.tree.loops(stop), None) is not next(file.tree.loops(start), None):
            continue  # how long it has been going on, looked at in every round
        calls = [
            each
            for each in _calls(file, span)
            if file.is_after(each, start) and file.is_after(stop, each) and not file.is_inside(stop, each)
        ]
        work = [each for each in calls if _computes_there(file, each) and not _is_one_of_many(file, hot, each, start)]
        if work and not any(_may_wait(file, each) for each in calls if file.is_after(each, work[0])):
            yield span, work[-1]


def _calls(file: FileAnalysis, node: Node) -> list[cst.Call]:
    function = file.function(node)
    return [each for each in file.nodes(cst.Call) if file.function(each) is function]


def _reading(file: FileAnalysis, node: cst.BaseExpression, span: Node) -> cst.Call | None:
    """The last reading of a clock that an expression stands for."""
    if isinstance(node, cst.Call):
        return node if file.qualname(node.func) in _CLOCKS else None
    if not isinstance(node, cst.Name):
        return None
    for use in reversed(file.references(node)):
        above = file.parent(use)
        assign = file.parent(above) if isinstance(above, cst.AssignTarget) else None
        if isinstance(assign, cst.Assign) and file.is_after(span, use) and file.function(use) is file.function(span):
            made = assign.value
            return made if isinstance(made, cst.Call) and file.qualname(made.func) in _CLOCKS else None
    return None


def _computes_there(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a call runs a module, or an operation, on what is on an accelerator."""
    value, func = file.value(call), file.value(call.func)
    if func.kind is Kind.MODULE:
        return func.place is Place.ACCELERATOR or any(whereabouts(file.value(arg.value)) is Place.ACCELERATOR for arg in call.args)
    return value.kind is Kind.TENSOR and value.place is Place.ACCELERATOR and last_name(call.func) not in ("to", "cuda")


def _is_one_of_many(file: FileAnalysis, hot: HotLoops, call: cst.Call, start: Node) -> bool:
    """Whether a whole loop over batches is timed: what may still run at its end is nothing beside the rest."""
    loop = hot.around(call)
    return loop is not None and file.is_after(loop, start)


def _may_wait(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a call waits for the device, or is one of the program's own, which may."""
    if last_name(call.func) in _WAITS:
        return True
    return file.qualname(call.func) is None and not isinstance(call.func, cst.Attribute) and file.value(call.func).kind is Kind.UNKNOWN

"""Copies to the host that are not waited for, and where their elements are read all the same.

Whatever makes the host wait in between is enough: a `synchronize`, or another value that is read.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.tensors import ARRAY_PACKAGES, SYNCHRONISING_METHODS
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import last_name
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Place

_WAITS = frozenset({*SYNCHRONISING_METHODS, "synchronize", "wait", "barrier", "query", "wait_stream", "wait_event"})
_READS = frozenset({"item", "tolist", "numpy"})
_BUILTINS = frozenset(f"builtins.{name}" for name in ("float", "int", "print", "bool", "list"))
_STORES = frozenset({"append", "extend"})


def unawaited(file: FileAnalysis) -> Iterator[tuple[cst.Call, cst.Arg, Node]]:
    """Each such copy, its `non_blocking=True`, and where it is read."""
    for call in file.methods("to"):
        flag = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "non_blocking"), None)
        if flag is None or last_name(flag.value) != "True" or not _goes_to_host(file, call) or not isinstance(call.func, cst.Attribute):
            continue
        tensor = file.value(call.func.value)
        if tensor.kind not in (Kind.TENSOR, Kind.UNKNOWN) or tensor.place is Place.CPU:
            continue
        read = next((each for each in _reads(file, call) if not _waits_between(file, call, each)), None)
        if read is not None:
            yield call, flag, read


def _goes_to_host(file: FileAnalysis, call: cst.Call) -> bool:
    """`.to("cpu", …)`, `.to(device="cpu", …)`, `.to(torch.device("cpu"), …)`"""
    for arg in [*call.args[:1], *(each for each in call.args if each.keyword is not None and each.keyword.value == "device")]:
        given = arg.value
        if isinstance(given, cst.Call) and file.qualname(given.func) == "torch.device" and given.args:
            given = given.args[0].value
        if literal(given) == "cpu":
            return True
    return False


def _reads(file: FileAnalysis, call: cst.Call) -> Iterator[Node]:
    """Where the elements of the copy are read: at once, under its name, or out of a list that it is put into."""
    if _is_read(file, call):
        yield call
    above = file.parent(call)
    names: list[cst.Name] = []
    if isinstance(above, cst.Assign) and len(above.targets) == 1 and isinstance(above.targets[0].target, cst.Name):
        names.append(above.targets[0].target)
    for name in names:
        uses = list(_later(file, name, call))
        yield from (use for use in uses if _is_read(file, use))
        for use in uses:
            yield from _reads_of_list(file, use)
    yield from _reads_of_list(file, call)


def _reads_of_list(file: FileAnalysis, node: Node) -> Iterator[Node]:
    """`kept.append(x)`, then `torch.cat(kept)`."""
    arg = file.parent(node)
    call = file.parent(arg) if isinstance(arg, cst.Arg) else None
    if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value in _STORES:
        kept = call.func.value
        if isinstance(kept, cst.Name) and file.value(kept).kind is Kind.LIST:
            yield from (use for use in _later(file, kept, call) if _is_read(file, use))


def _later(file: FileAnalysis, name: cst.Name, place: Node) -> Iterator[cst.Name]:
    """The uses of a name behind a place in the same function, up to where it is given something else."""
    for use in file.references(name):
        if use is name or not file.is_after(use, place) or file.is_inside(use, place) or file.function(use) is not file.function(place):
            continue
        if isinstance(file.parent(use), cst.AssignTarget):
            return
        yield use


def _is_read(file: FileAnalysis, node: Node) -> bool:
    """`x.numpy()`, `float(x)`, `np.mean(x)`, `torch.cat(x)`, `x + 1`"""
    above = file.parent(node)
    while isinstance(above, cst.Attribute) and isinstance(inner := file.parent(above), cst.Call) and above.attr.value == "detach":
        node, above = inner, file.parent(inner)
    if isinstance(above, cst.Attribute):
        return above.attr.value in _READS and isinstance(file.parent(above), cst.Call)
    if isinstance(above, cst.BinaryOperation):
        return True
    call = file.parent(above) if isinstance(above, cst.Arg) else None
    if not isinstance(call, cst.Call):
        return False
    path = file.qualname(call.func) or ""
    return (
        path.startswith(ARRAY_PACKAGES) or path.startswith("torch.") and path.count(".") == 1 or file.value(call.func).qualname in _BUILTINS
    )


def _waits_between(file: FileAnalysis, call: cst.Call, read: Node) -> bool:
    """Whether anything in between waits for the device, by its name at least."""
    function = file.function(call)
    calls = file.inside(function, cst.Call) if function is not file.module else file.nodes(cst.Call)
    return any(
        file.is_after(each, call)
        and file.is_after(read, each)
        and last_name(each.func) in _WAITS
        and not file.is_inside(read, each)
        and not file.is_inside(call, each)
        for each in calls
    )

"""Transfers between processes that are started and that nobody waits for: what becomes of the handle that torch returns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import libcst as cst

from torchlint.facts.signatures import signatures, signed_in
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node
from torchlint.syntax.ways import reached
from torchlint.values.binding import bind_any

_ALWAYS = frozenset(f"torch.distributed.{name}" for name in ("isend", "irecv", "batch_isend_irecv"))
_COLLECTS = frozenset({"append", "extend", "insert", "clear"})
"""Methods of a list that do not look at what is in it."""
_RAISES = frozenset("raises assertRaises assertRaisesRegex".split())
"""What tests say around a call that is to fail."""
_DISPLAYS = (cst.List, cst.Tuple, cst.Element, cst.ListComp)


@cache
def _on_demand() -> frozenset[str]:
    """The functions that return a handle where they are told `async_op=True`."""
    names = (f"torch.distributed.{name}" for name in signed_in("torch.distributed"))
    return frozenset(name for name in names if any("async_op" in each for each in signatures(name)))


def unwaited(file: FileAnalysis) -> Iterator[cst.Call]:
    """The calls that start a transfer whose handle is thrown away, or is kept where nobody looks at it again."""
    for call in file.calls(*_ALWAYS, *_on_demand()):
        path = file.qualname(call.func) or ""
        if path not in _ALWAYS and bind_any(call, signatures(path)).literal("async_op") is not True:
            continue
        if _is_to_fail(file, call):
            continue
        if not _is_looked_at(file, call) and not _is_in_group(file, call) and not _synchronizes(file, call):
            yield call


def _is_looked_at(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether somebody may wait for the handle, as far as it can be followed."""
    node: Node = call
    above = file.parent(node)
    while isinstance(above, _DISPLAYS):
        node, above = above, file.parent(above)
    if isinstance(above, cst.Expr):
        return False
    if isinstance(above, cst.Assign) and len(above.targets) == 1 and isinstance(above.targets[0].target, cst.Name):
        return _is_read(file, above.targets[0].target, call)
    if isinstance(above, cst.AnnAssign) and isinstance(above.target, cst.Name):
        return _is_read(file, above.target, call)
    container = _container(file, above)
    return container is None or not _is_list(file, container) or _is_read(file, container, call)


def _container(file: FileAnalysis, above: Node | None) -> cst.Name | None:
    """`x` of `x.append(handle)` and `x += [handle]`."""
    if isinstance(above, cst.AugAssign):
        return above.target if isinstance(above.target, cst.Name) else None
    call = file.parent(above) if isinstance(above, cst.Arg) else None
    func = call.func if isinstance(call, cst.Call) and isinstance(file.parent(call), cst.Expr) else None
    is_kept = isinstance(func, cst.Attribute) and func.attr.value in _COLLECTS
    return func.value if is_kept and isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name) else None


def _is_list(file: FileAnalysis, name: cst.Name) -> bool:
    """Whether a name is nothing but lists that are made here."""
    bindings = [each for each in file.names.bindings(name) if not isinstance(file.parent(each.node), cst.AugAssign)]
    return bool(bindings) and all(
        each.how is Binds.ASSIGN
        and (isinstance(each.value, (cst.List, cst.ListComp)) or isinstance(each.value, cst.Call) and not each.value.args)
        for each in bindings
    )


def _is_read(file: FileAnalysis, name: cst.Name, call: cst.Call) -> bool:
    """Whether control may come from the call to a place that looks at what the variable holds, with nothing else put into it before."""
    references = file.references(name)
    if any(file.function(each) is not file.function(name) for each in references):
        return True
    bound = [each.node for each in file.names.bindings(name)]
    reads = [each for each in references if not any(each is node for node in bound) and not _only_collects(file, each)]
    others = [each for each in bound if each is not name and not isinstance(file.parent(each), cst.AugAssign)]
    is_kept = isinstance(file.parent(name), (cst.AssignTarget, cst.AnnAssign))
    if not is_kept:
        return bool(reads)
    return bool(reached(file.tree, call, reads, others))


def _only_collects(file: FileAnalysis, name: cst.Name) -> bool:
    above = file.parent(name)
    outer = file.parent(above) if isinstance(above, cst.Attribute) and above.attr.value in _COLLECTS else None
    return isinstance(outer, cst.Call) and outer.func is above and isinstance(file.parent(outer), cst.Expr)


def _is_in_group(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a context manager of torch around the call gathers transfers, and hands out one handle for all."""
    items = (item.item for each in file.ancestors(call) if isinstance(each, cst.With) for item in each.items)
    return any(isinstance(each, cst.Call) and (file.qualname(each.func) or "").startswith("torch.distributed.") for each in items)


def _is_to_fail(file: FileAnalysis, call: cst.Call) -> bool:
    """`with pytest.raises(ValueError):`, `with self.assertRaises(ValueError):`"""
    items = (item.item for each in file.ancestors(call) if isinstance(each, cst.With) for item in each.items)
    names = (each.func.attr if isinstance(each.func, cst.Attribute) else each.func for each in items if isinstance(each, cst.Call))
    return any(isinstance(each, cst.Name) and each.value in _RAISES for each in names)


def _synchronizes(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether the function waits for the whole device afterwards."""
    function = file.function(call)
    asked = [*file.tree.attributes.get("synchronize", ()), *file.tree.names.get("synchronize", ())]
    return any(file.is_after(each, call) and file.function(each) is function for each in asked)

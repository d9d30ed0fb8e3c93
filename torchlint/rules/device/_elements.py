"""Whether Python would go through a tensor element by element, and through more than a few."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import names_in
from torchlint.rules.device._long import counts_rows
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Place, Value

_FEW = 16
"""So many elements take no time worth speaking of, whoever goes through them."""


def is_costly(file: FileAnalysis, node: cst.BaseExpression) -> bool:
    """Whether an expression is a tensor, and not known to have but a few elements along its first dimension."""
    value = file.value(node)
    if value.kind is not Kind.TENSOR or value.optional or value.scalar:
        return False
    length = _length(file, value)
    return length is None or length > _FEW


def is_collected(file: FileAnalysis, node: cst.BaseExpression) -> bool:
    """Whether Python has gone through the elements just before, to make a tensor of them: `torch.tensor([len(each) for each in batch])`."""
    made = file.value(node).node
    if isinstance(node, cst.Name) and any(_is_filled(file, use) for use in file.references(node)):
        return True
    if not isinstance(made, cst.Call) or not made.args or not isinstance(made.args[0].value, (cst.ListComp, cst.GeneratorExp)):
        return False
    return file.qualname(made.func) in ("torch.tensor", "torch.as_tensor")


def is_of_python(file: FileAnalysis, node: cst.BaseExpression) -> bool:
    """Whether it was made of what Python or NumPy holds, and lies on the CPU still: to make it took as long as to read it."""
    value = file.value(node)
    made = (each.node for each in value.lineage())
    return value.place is not Place.ACCELERATOR and any(
        isinstance(each, cst.Call) and file.qualname(each.func) in ("torch.tensor", "torch.as_tensor", "torch.from_numpy") for each in made
    )


def _is_filled(file: FileAnalysis, use: cst.Name) -> bool:
    """`scores[i] = score(each)` in a loop that counts `i`."""
    entry = file.parent(use)
    if not isinstance(entry, cst.Subscript) or entry.value is not use or not isinstance(file.parent(entry), cst.AssignTarget):
        return False
    index = entry.slice[0].slice if len(entry.slice) == 1 else None
    counted = {part.value for loop in file.tree.loops(entry) if isinstance(loop, cst.For) for part in names_in(loop.target)}
    return isinstance(index, cst.Index) and isinstance(index.value, cst.Name) and index.value.value in counted


def _is_many(file: FileAnalysis, node: cst.BaseExpression) -> bool:
    """The same, where the elements are not chosen to be a few."""
    return is_costly(file, node) and not any(_is_choice(file, each) for each in file.value(node).lineage())


def _is_choice(file: FileAnalysis, value: Value) -> bool:
    """The best few, or the first few: `torch.topk(x, k)`, `x[:5]`, and what is computed from them."""
    made = value.node
    if isinstance(made, cst.Call):
        return file.qualname(made.func) == "torch.topk" or isinstance(made.func, cst.Attribute) and made.func.attr.value == "topk"
    part = made.slice[0].slice if isinstance(made, cst.Subscript) else None
    if not isinstance(part, cst.Slice) or part.upper is None:
        return False
    upper = literal(part.upper)
    return isinstance(upper, int) and 0 <= upper <= _FEW


def _length(file: FileAnalysis, value: Value) -> int | None:
    """How long a tensor is that is written out, or made with a length that is."""
    made = value.node
    if not isinstance(made, cst.Call) or not made.args:
        return None
    path, first = file.qualname(made.func) or "", made.args[0]
    if path in ("torch.stack", "torch.cat", "torch.tensor", "torch.as_tensor") and isinstance(first.value, (cst.List, cst.Tuple)):
        return len(first.value.elements)
    if not value.fresh or first.keyword is not None or first.star:
        return None
    size = literal(first.value)
    length = size[0] if isinstance(size, (tuple, list)) and size else size
    return length if isinstance(length, int) else None


def element_reads(file: FileAnalysis) -> Iterator[tuple[cst.For, cst.BaseExpression, cst.BaseExpression]]:
    """Loops that go through a tensor and read or write its elements one by one: the loop, the tensor, and where it does so first."""
    for loop in file.nodes(cst.For):
        found = _through_itself(file, loop) or _through_indices(file, loop)
        if found and isinstance(found[0][1], cst.Call) and _works_on_tensors(file, loop):
            continue  # the number is wanted beside the work of a whole round
        for tensor, node in found:
            yield loop, tensor, node
            break


def _works_on_tensors(file: FileAnalysis, loop: cst.For) -> bool:
    """Whether a round computes with more than the elements: it calls an operation or a module, or picks by a mask."""
    if any(file.value(call).kind is Kind.TENSOR for call in file.inside(loop.body, cst.Call)):
        return True
    indices = (
        part.slice.value for entry in file.inside(loop.body, cst.Subscript) for part in entry.slice if isinstance(part.slice, cst.Index)
    )
    return any(isinstance(each, cst.Name) and file.value(each).kind is Kind.TENSOR for each in indices)


def _through_itself(file: FileAnalysis, loop: cst.For) -> list[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """`for v in x:`, `for i, v in enumerate(x):`, `for v, w in zip(x, y):`, with a number read from `v`."""
    found: list[tuple[cst.BaseExpression, cst.BaseExpression]] = []
    for name, source in _elements(file, loop):
        if not _is_many(file, source):
            continue
        for use in file.references(name):
            node = _read(file, use) if file.is_inside(use, loop) else None
            if node is not None:
                found.append((source, node))
    return found


def _elements(file: FileAnalysis, loop: cst.For) -> Iterator[tuple[cst.Name, cst.BaseExpression]]:
    """The names that elements are given, with what they are elements of."""
    target, source = loop.target, loop.iter
    wrapper = file.value(source.func).qualname if isinstance(source, cst.Call) else None
    parts = [each.value for each in target.elements] if isinstance(target, (cst.Tuple, cst.List)) else []
    if isinstance(source, cst.Call) and wrapper == "builtins.enumerate" and len(parts) == 2:
        pairs = [(parts[1], source.args[0].value)] if source.args else []
    elif isinstance(source, cst.Call) and wrapper == "builtins.zip":
        if any(file.value(arg.value).is_tensor and not _is_many(file, arg.value) for arg in source.args):
            return  # the shortest decides
        pairs = [(part, arg.value) for part, arg in zip(parts, source.args, strict=False)]
    else:
        pairs = [(target, source)]
    for part, each in pairs:
        if isinstance(part, cst.Name):
            yield part, each


def _through_indices(file: FileAnalysis, loop: cst.For) -> list[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """`for i in range(len(x)):` with a number read from `x[i]`, or two such loops with `x[i, j]`."""
    if not isinstance(loop.target, cst.Name) or not counts_rows(file, loop):
        return []
    around = [each for each in file.tree.loops(loop) if isinstance(each, cst.For) and isinstance(each.target, cst.Name)]
    outer = [each.target.value for each in around if isinstance(each.target, cst.Name) and counts_rows(file, each)]
    found: list[tuple[cst.BaseExpression, cst.BaseExpression]] = []
    for use in file.references(loop.target):
        entry = file.parent(file.parent(file.parent(use) or use) or use)
        if use is loop.target or not isinstance(entry, cst.Subscript) or not file.is_inside(entry, loop):
            continue
        tensor, indices = _entry(entry)
        if loop.target.value not in indices or not is_costly(file, tensor) or next(file.tree.loops(entry), None) is not loop:
            continue
        if len(indices) == 1:
            node = _read(file, entry)
        else:
            node = entry if any(each in outer for each in indices) and _is_number_like(file, entry) else None
        if node is not None:
            found.append((tensor, node))
    return found


def _entry(entry: cst.Subscript) -> tuple[cst.BaseExpression, list[str]]:
    """What is indexed by names alone, and the names: `x[i, j]`, `x[i][j]`; no names where it is indexed by anything else."""
    names: list[str] = []
    node: cst.BaseExpression = entry
    while isinstance(node, cst.Subscript):
        for part in node.slice:
            if not isinstance(part.slice, cst.Index) or not isinstance(part.slice.value, cst.Name):
                return node, []
            names.append(part.slice.value.value)
        node = node.value
    return node, names


def _is_number_like(file: FileAnalysis, entry: cst.Subscript) -> bool:
    """Whether an entry is assigned, computed with or compared, as a number is."""
    above = file.parent(entry)
    return isinstance(above, (cst.AssignTarget, cst.AugAssign, cst.BinaryOperation, cst.Comparison))


def _read(file: FileAnalysis, node: Node) -> cst.BaseExpression | None:
    """`node.item()`, `float(node)`, `int(node)`; not where it is only shown."""
    above = file.parent(node)
    call = file.parent(above) if isinstance(above, (cst.Arg, cst.Attribute)) else None
    if not isinstance(call, cst.Call):
        return None
    is_item = isinstance(above, cst.Attribute) and above.attr.value == "item" and call.func is above
    is_conversion = isinstance(above, cst.Arg) and file.value(call.func).qualname in ("builtins.float", "builtins.int")
    if not is_item and not is_conversion:
        return None
    for each in file.ancestors(call):
        if isinstance(each, cst.FormattedString) or isinstance(each, cst.Call) and file.value(each.func).qualname == "builtins.print":
            return None
        if isinstance(each, cst.BaseSuite):
            break
    return call

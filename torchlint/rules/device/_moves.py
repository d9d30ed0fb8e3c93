"""Tensors that are made on the CPU and moved to a device at once: in one expression, or by the next statement about the same name.

Answers what is made, where it goes and how sure that is. What a fix may assume of the values is in `torchlint.rules.device._building`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from torchlint.facts.factories import DEVICE_FACTORIES
from torchlint.syntax.literals import spelled_out
from torchlint.syntax.tree import Node, descendants
from torchlint.values.devices import Sure, device
from torchlint.values.flow import Analysis
from torchlint.values.value import Kind, Place

_DECIDED_ELSEWHERE = frozenset({"device", "out", "generator"})
"""Keywords of a constructor that settle where the tensor is made."""
_WITHOUT_EFFECT = frozenset({"non_blocking", "copy", "async"})
"""Arguments of a move that mean nothing for a tensor that is made there."""

_CONVERSIONS = frozenset("float double half bfloat16 long int short char byte bool".split())
"""Methods that give a tensor another type, and leave it where it is."""
_SHAPES = frozenset("view reshape unsqueeze squeeze expand repeat permute transpose t flatten contiguous".split())
_FILLS = frozenset("fill_ normal_ uniform_ random_".split())
"""Methods that need nothing but the tensor itself, so that it may be anywhere: they give it another shape, or other numbers."""


@dataclass(frozen=True, slots=True)
class Move:
    """A call that moves a tensor to another device."""

    call: cst.Call
    is_cuda: bool
    """`.cuda(…)`, not `.to(…)`."""
    device: cst.BaseExpression | None
    """The device as it is written; None for the current GPU."""
    dtype: cst.BaseExpression | None
    extra: tuple[str, ...]
    """Other keywords that a constructor cannot take over."""
    sure: Sure


@dataclass(frozen=True, slots=True)
class CreatedThenMoved:
    """A tensor that torch makes on the CPU, and the call that copies it at once."""

    factory: cst.Call
    path: str
    """The constructor's dotted name."""
    move: Move
    creation: cst.Assign | cst.AnnAssign | None = None
    """The statement that makes the tensor, where another one moves it."""
    between: tuple[cst.CSTNode, ...] = ()
    """The statements that stand between the two."""
    is_wrapped: bool = False
    """A conversion of its type or shape, what fills it, or a `Variable` stands between the two."""

    @property
    def is_typed(self) -> bool:
        """Whether the constructor is told an element type."""
        return any(arg.keyword is not None and arg.keyword.value == "dtype" for arg in self.factory.args)

    @property
    def counts_whole_numbers(self) -> bool:
        """Whether a range starts and steps at whole numbers, so that every element is exact."""
        if any(arg.keyword is not None and arg.keyword.value == "dtype" and _is_integer_type(arg.value) for arg in self.factory.args):
            return True
        given = {arg.keyword.value: arg.value for arg in self.factory.args if arg.keyword is not None}
        positional = [arg.value for arg in self.factory.args if arg.keyword is None]
        start = given.get("start") or (positional[0] if len(positional) > 1 else None)
        step = given.get("step") or (positional[2] if len(positional) > 2 else None)
        return all(each is None or _is_whole(each) for each in (start, step))

    @property
    def device_comes_later(self) -> bool:
        """Whether the device gets its value only after the tensor is made."""
        names = (
            {node.value for node in descendants(self.move.device) if isinstance(node, cst.Name)} if self.move.device is not None else set()
        )
        return any(isinstance(node, cst.AssignTarget) and _binds(node.target, names) for each in self.between for node in descendants(each))


def _is_integer_type(node: Node) -> bool:
    name = node.attr.value if isinstance(node, cst.Attribute) else node.value if isinstance(node, cst.Name) else ""
    return str(name) in ("long", "int", "short", "int64", "int32", "int16", "int8", "uint8")


def _is_whole(node: Node) -> bool:
    return isinstance(node, cst.Integer) or isinstance(node, cst.UnaryOperation) and isinstance(node.expression, cst.Integer)


def _binds(target: Node, names: set[str]) -> bool:
    return any(isinstance(node, cst.Name) and node.value in names for node in descendants(target))


def created_then_moved(file: Analysis) -> Iterator[CreatedThenMoved]:
    """Every tensor that torch makes on the CPU only to copy it, in document order."""
    if _has_default_device(file):
        return
    for call in file.nodes(cst.Call):
        if not isinstance(call.func, cst.Attribute) or call.func.attr.value not in ("to", "cuda"):
            continue
        made = call.func.value
        if isinstance(made, cst.Call):
            found = _moved(file, made, call)
            if found is not None:
                yield found
        elif _place(made) is not None:
            yield from _by_next_statement(file, call, made)


def _moved(file: Analysis, made: cst.Call, call: cst.Call) -> CreatedThenMoved | None:
    """What an expression makes, as something that a call moves; None where it is not made on the CPU, or not known to be moved."""
    factory = _inside(file, made)
    path = _factory(file, factory)
    move = _move(file, call) if path is not None else None
    if path is None or move is None or _stays(file, factory, path, move) or _in_device_context(file, made):
        return None
    return CreatedThenMoved(factory, path, move, is_wrapped=factory is not made)


def _by_next_statement(file: Analysis, call: cst.Call, made: cst.BaseExpression) -> Iterator[CreatedThenMoved]:
    """`x = torch.zeros(2)`, then `x = x.to(device)` in the same block, `x` not being used in between."""
    moving, place = file.parent(call), _place(made)
    if not isinstance(moving, cst.Assign) or len(moving.targets) != 1 or _place(moving.targets[0].target) != place:
        return
    head = str(place).partition(".")[0]
    line = file.statement(call)
    block = file.parent(line)
    body = getattr(block, "body", ())
    if line not in body:
        return
    position = body.index(line)
    for index in range(position - 1, -1, -1):
        earlier = body[index]
        if not _mentions(earlier, head):
            continue
        creation = earlier.body[0] if isinstance(earlier, cst.SimpleStatementLine) and len(earlier.body) == 1 else None
        if not isinstance(creation, (cst.Assign, cst.AnnAssign)) or not isinstance(creation.value, cst.Call):
            return
        targets = [target.target for target in creation.targets] if isinstance(creation, cst.Assign) else [creation.target]
        if len(targets) != 1 or _place(targets[0]) != place or place == head and _mentions(creation.value, head):
            return
        found = _moved(file, creation.value, call)
        if found is not None:
            yield replace(found, creation=creation, between=tuple(body[index + 1 : position]))
        return


def _place(node: Node) -> str | None:
    """`x` or `self.x`, as text."""
    if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
        return f"{node.value.value}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else None


def _mentions(node: Node, name: str) -> bool:
    return any(isinstance(each, cst.Name) and each.value == name for each in descendants(node))


# -- what is made -------------------------------------------------------------------------------------------------------


def _inside(file: Analysis, made: cst.Call) -> cst.Call:
    """The constructor in `torch.zeros(2).float()`, in `torch.arange(n).view(-1, 1)` and in `Variable(torch.zeros(2))`; else as it is."""
    func = made.func
    if isinstance(func, cst.Attribute) and _needs_only_itself(file, made, func.attr.value):
        inner = func.value
    elif file.qualname(func) == "torch.autograd.Variable" and not any(map(_decides_leaf, made.args)) and made.args:
        inner = made.args[0].value
    else:
        return made
    return _inside(file, inner) if isinstance(inner, cst.Call) else made


def _needs_only_itself(file: Analysis, call: cst.Call, method: str) -> bool:
    """Whether a method does the same wherever its tensor is."""
    if method in _SHAPES | _FILLS:
        return all(file.value(arg.value).kind is not Kind.TENSOR for arg in call.args)
    return method in _CONVERSIONS and not call.args or _is_cast(file, call, method)


def _is_cast(file: Analysis, call: cst.Call, method: str) -> bool:
    """`x.to(torch.float16)`, `x.type(torch.int64)`"""
    alone = len(call.args) == 1 and not call.args[0].star
    return method in ("to", "type") and alone and file.value(call.args[0].value).kind is Kind.DTYPE


def _decides_leaf(arg: cst.Arg) -> bool:
    return bool(arg.star) or arg.keyword is not None and arg.keyword.value == "requires_grad"


def _factory(file: Analysis, call: cst.Call) -> str | None:
    """The path of a constructor that could take a device but has not been told one."""
    path = file.qualname(call.func)
    if path not in DEVICE_FACTORIES:
        return None
    for arg in call.args:
        keyword = arg.keyword.value if arg.keyword is not None else None
        if arg.star == "**" or keyword in _DECIDED_ELSEWHERE:
            return None
        if keyword in ("requires_grad", "pin_memory") and not (isinstance(arg.value, cst.Name) and arg.value.value == "False"):
            return None
    if path == "torch.normal" and len(call.args) < 3 and all(arg.keyword is None or arg.keyword.value != "size" for arg in call.args):
        return None  # it takes the shape, and the place, of the tensors it is given
    return path


def _stays(file: Analysis, made: cst.Call, path: str, move: Move) -> bool:
    """`torch.zeros_like(x).to(x.device)`, or of an `x` that is on a device, or was moved to this one: not made on the CPU at all."""
    if not path.endswith("_like"):
        return False
    if not made.args:
        return True  # raises
    model = made.args[0].value
    if file.value(model).place is Place.ACCELERATOR or _was_moved(file, model, move):
        return True
    return isinstance(move.device, cst.Attribute) and move.device.attr.value == "device" and move.device.value.deep_equals(model)


def _was_moved(file: Analysis, model: Node, move: Move) -> bool:
    """Whether the same move made this value: there is nothing left to copy, wherever it went."""
    moved = file.value(model).node
    if not isinstance(moved, cst.Call) or not isinstance(moved.func, cst.Attribute) or moved.func.attr.value not in ("to", "cuda"):
        return False
    earlier = _move(file, moved)
    if earlier is None or earlier.is_cuda is not move.is_cuda:
        return False
    if earlier.device is None or move.device is None:
        return earlier.device is move.device
    return earlier.device.deep_equals(move.device)


def _has_default_device(file: Analysis) -> bool:
    """Whether the program makes its tensors elsewhere by default."""
    return next(file.calls("torch.set_default_device", "torch.set_default_tensor_type"), None) is not None


def _in_device_context(file: Analysis, node: Node) -> bool:
    for each in file.ancestors(node):
        if isinstance(each, cst.With) and any(file.value(item.item).kind is Kind.DEVICE for item in each.items):
            return True
        if isinstance(each, cst.FunctionDef):
            return False
    return False


# -- where it goes ------------------------------------------------------------------------------------------------------


def _move(file: Analysis, call: cst.Call) -> Move | None:
    """A call of `.to(…)` or `.cuda(…)` as a move to a device other than the CPU; None where it is not known to be one."""
    if any(arg.star for arg in call.args):
        return None
    assert isinstance(call.func, cst.Attribute)
    keywords = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
    positional = [arg.value for arg in call.args if arg.keyword is None]
    where = keywords.get("device") or (positional[0] if positional else None)
    rest = positional[1:] if "device" not in keywords else positional
    extra = tuple(name for name in keywords if name not in _WITHOUT_EFFECT | {"device", "dtype"})
    if call.func.attr.value == "cuda":
        sure = Sure.KNOWN if where is None or _is_never_none(file, where) else Sure.BY_NAME
        return Move(call, True, where, None, extra, sure)
    if where is None:
        return None
    known = _is_device(file, where)
    if known is None:
        return None
    dtype = keywords.get("dtype")
    if dtype is None and rest and file.value(rest[0]).kind is Kind.DTYPE:
        dtype = rest[0]
    elif dtype is None and rest and not _is_flag(rest[0]):
        extra = (*extra, "dtype")
    return Move(call, False, where, dtype, extra, known)


def _is_flag(node: Node) -> bool:
    return isinstance(node, cst.Name) and node.value in ("True", "False")


def _is_device(file: Analysis, node: cst.BaseExpression) -> Sure | None:
    """How sure it is that an expression is a device and not the CPU; None where it is not, or may be something else."""
    if isinstance(node, cst.SimpleString):
        return Sure.KNOWN if str(spelled_out(node.value)).partition(":")[0] not in ("cpu", "meta") else None
    value = file.value(node)
    if value.kind is Kind.DEVICE:
        return Sure.KNOWN if value.place is not Place.CPU else None
    if value.kind is Kind.STRING:
        literal = str(spelled_out(value.node.value)) if isinstance(value.node, cst.SimpleString) else ""
        return Sure.KNOWN if literal.partition(":")[0] not in ("cpu", "meta") else None
    if value.kind is Kind.NUMBER:
        return Sure.KNOWN
    if value.kind is not Kind.UNKNOWN:
        return None
    return device(file, node)


def _is_never_none(file: Analysis, node: cst.BaseExpression) -> bool:
    """Whether an expression is a device written out: `.cuda(None)` is the current GPU, `device=None` is none."""
    value = file.value(node)
    return isinstance(node, (cst.Integer, cst.SimpleString)) or value.kind is Kind.DEVICE and isinstance(value.node, cst.Call)

"""What is done with an expression that shares a tensor's memory: written to, read and left alone, or given a name and out of sight.

Where it is read and gone with the expression, nobody can write through it: what it shares does not matter.
"""

from __future__ import annotations

import re
from enum import Enum

import libcst as cst

from torchlint.facts.operations import COPIES_IF_IT_MUST, operation
from torchlint.facts.tensors import LISTS_OF_TENSORS, NUMBERS, PAIRS, VIEWS
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node
from torchlint.values.value import Value

_INTO_NUMBERS = frozenset("item tolist size dim numel type_as shape dtype device ndim is_cuda requires_grad".split())
_PLAIN = frozenset("print float int len str repr bool round display".split())
_READERS = ("numpy.", "math.", "matplotlib.", "seaborn.", "torch.testing.", "torchvision.utils.", "torch.save")
"""What makes numbers, arrays, pictures or files of what it is given."""
_SHOWN = re.compile(r"^(?:add_(?:scalars?|histogram|images?)|imshow|hist|plot|scatter|format|assert\w*)$")
"""Methods that do: of a writer, of axes, of a text, of a test."""


class Done(Enum):
    READ = "read"
    """Copied, computed with, made a number: nobody can write to the memory through it."""
    WRITTEN = "written"
    SHARED = "shared"
    """Kept, handed on, or viewed: whoever has it may write."""


def may_be_leaf(tensor: Value) -> bool:
    """Whether it is a leaf, a part or another shape of one (`self.scale.squeeze()`, `weight[0]`), or was not computed in sight."""
    while not tensor.leaf and len(tensor.sources) > 0:
        made = tensor.node
        is_view = isinstance(made, cst.Subscript) or (
            isinstance(made, cst.Call) and isinstance(made.func, cst.Attribute) and made.func.attr.value in VIEWS
        )
        if not is_view:
            break
        tensor = tensor.sources[0]
    return tensor.leaf or not isinstance(tensor.node, (cst.Call, cst.BinaryOperation, cst.UnaryOperation, cst.AugAssign))


def has_no_dimension(tensor: Value) -> bool:
    """Whether there is nothing to index: a loss, a sum of such, or one that is divided by what is no tensor, here or in a helper."""
    if tensor.scalar:
        return True
    if tensor.original is not None:
        return has_no_dimension(tensor.original)
    if not isinstance(tensor.node, (cst.BinaryOperation, cst.AugAssign)):
        return False
    operands = [each for each in tensor.sources if each.is_tensor]
    return len(operands) > 0 and all(has_no_dimension(each) for each in operands)


def is_its_own(file: FileAnalysis, node: Node) -> bool:
    """Whether an expression has memory that nothing else has and a graph that ends with it: `(x * 2)`, `x.clone().cpu()`."""
    if isinstance(node, cst.BinaryOperation):
        return True
    if not isinstance(node, cst.Call):
        return False
    if not isinstance(node.func, cst.Attribute) or file.qualname(node.func) is not None:
        return _copies(file.qualname(node.func) or "")
    if _copies(f"torch.Tensor.{node.func.attr.value}"):
        return file.value(node.func.value).is_tensor
    known = operation(f"torch.Tensor.{node.func.attr.value}")
    return known is not None and known.is_known and not known.changes and is_its_own(file, node.func.value)


def is_only_read(file: FileAnalysis, node: Node) -> bool:
    """Whether the variable that an expression is assigned to is local, and nothing but read."""
    target = file.parent(node)
    names = [each.target for each in target.targets] if isinstance(target, cst.Assign) else []
    if len(names) != 1 or not isinstance(names[0], cst.Name) or not isinstance(file.function(node), cst.FunctionDef):
        return False
    scope = file.names.scope(names[0]).lookup(names[0].value)
    if scope is None or isinstance(scope.node, cst.Module):
        return False  # `global`
    uses = [each for each in file.references(names[0]) if not isinstance(file.parent(each), cst.AssignTarget)]
    return all(done_with(file, each) is Done.READ for each in uses)


def is_written(file: FileAnalysis, node: Node) -> bool:
    """Whether anything is written through a variable, by its name."""
    return not isinstance(node, cst.Name) or any(
        done_with(file, each) is Done.WRITTEN for each in file.references(node) if not isinstance(file.parent(each), cst.AssignTarget)
    )


def is_written_by_name(file: FileAnalysis, node: Node) -> bool:
    """Whether something is written through a variable that an expression is assigned to."""
    assign = file.parent(node)
    names = [each.target for each in assign.targets] if isinstance(assign, cst.Assign) else []
    return any(isinstance(each, cst.Name) and is_written(file, each) for each in names)


def done_with(file: FileAnalysis, node: Node) -> Done:
    """What becomes of the memory that an expression shares."""
    parent = file.parent(node)
    if isinstance(parent, (cst.AssignTarget, cst.AugAssign)) and getattr(parent, "target", None) is node:
        return Done.WRITTEN
    if isinstance(parent, (cst.BinaryOperation, cst.UnaryOperation, cst.Comparison, cst.ComparisonTarget, cst.FormattedStringExpression)):
        return Done.READ
    if isinstance(parent, (cst.AugAssign, cst.Expr, cst.Index, cst.Assert)):
        return Done.READ
    if isinstance(parent, (cst.Element, cst.DictElement)):
        return _element(file, parent)
    if isinstance(parent, cst.Subscript) and parent.value is node:
        return done_with(file, parent)
    if isinstance(parent, cst.Attribute):
        return _method(file, parent)
    if isinstance(parent, cst.Arg):
        return _argument(file, parent)
    return Done.SHARED


def _element(file: FileAnalysis, element: cst.Element | cst.DictElement) -> Done:
    """`"%.3f, %.3f" % (x, y)`, `torch.cat((x, y))`"""
    around = file.parent(file.parent(element) or element)
    if isinstance(around, cst.Arg):
        return Done.READ if _argument(file, around) is Done.READ else Done.SHARED
    is_text = isinstance(around, cst.BinaryOperation) and isinstance(around.left, (cst.SimpleString, cst.ConcatenatedString))
    return Done.READ if is_text else Done.SHARED


def _method(file: FileAnalysis, attribute: cst.Attribute) -> Done:
    name, call = attribute.attr.value, file.parent(attribute)
    if not isinstance(call, cst.Call) or call.func is not attribute:
        return Done.READ if name in _INTO_NUMBERS else done_with(file, attribute)
    if name.endswith("_") and not name.endswith("__"):
        return Done.WRITTEN
    if name in _INTO_NUMBERS or name in NUMBERS or name in PAIRS:
        return Done.READ
    if _copies(f"torch.Tensor.{name}"):
        return Done.READ
    done = done_with(file, call)
    return Done.READ if name == "numpy" and done is Done.SHARED else done


def _argument(file: FileAnalysis, argument: cst.Arg) -> Done:
    call = file.parent(argument)
    if not isinstance(call, cst.Call):
        return Done.SHARED
    if argument.keyword is not None and argument.keyword.value == "out":
        return Done.WRITTEN
    path, func = file.qualname(call.func), call.func
    if path is None:
        is_plain = isinstance(func, cst.Name) and func.value in _PLAIN and not file.names.bindings(func)
        is_shown = isinstance(func, cst.Attribute) and _SHOWN.match(func.attr.value) is not None
        return Done.READ if is_plain or is_shown else Done.SHARED
    if path.startswith("torch.") and path.endswith("_") and call.args[0] is argument:
        return Done.WRITTEN
    return Done.READ if _copies(path) or path.startswith(_READERS) else Done.SHARED


def _copies(path: str) -> bool:
    """Whether an operation returns memory of its own, and changes none."""
    known = operation(path)
    if known is None or not known.is_known or known.name in COPIES_IF_IT_MUST or known.name in LISTS_OF_TENSORS:
        return False
    return not known.may_share and not known.changes


def is_masked(file: FileAnalysis, attribute: cst.Attribute) -> bool:
    """`scores.data.masked_fill_(padding, -inf)`"""
    above = file.parent(attribute)
    return isinstance(above, cst.Attribute) and above.attr.value == "masked_fill_"

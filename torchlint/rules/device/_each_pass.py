"""Whether a line belongs to what is done for every batch, as far as can be seen: then even what costs little is paid again and again.

What stands in a forward or backward pass does, and in a loop that trains; what those call; and what is built after a tensor that a
function is given, whoever calls it.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import libcst as cst

from torchlint.facts.modules import MANAGED_STEPS
from torchlint.model.conditions import when
from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import HotLoops, last_name
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants

_FAR = 3
"""Through how many calls a pass is followed."""
_DEEP = 40
"""How many of the values that something was computed from are looked at."""
_FEW = 4
"""So few numbers are on the device as soon as it could have made them."""
_RECORDERS = frozenset(
    """torch.onnx.export torch.onnx.dynamo_export torch.export.export torch.jit.trace torchinfo.summary torchsummary.summary
    torchsummaryX.summary thop.profile ptflops.get_model_complexity_info fvcore.nn.FlopCountAnalysis torchviz.make_dot""".split()
)
"""What runs a model once, to write down what it does."""
_WRONG = frozenset({"isnan", "isinf"})
_ASKED = frozenset({"shape", "size", "device", "get_device", "dim", "numel"})
"""What is asked of a tensor to build another one after it."""


class EachPass:
    """The code of one file that is run for every batch, or for whatever tensor it is given."""

    def __init__(self, file: FileAnalysis) -> None:
        self.file = file
        self._hot = HotLoops(file)
        self._functions: dict[Node, bool] = {}

    def is_felt(self, made: cst.Call, moved: cst.Call) -> bool:
        """Whether somebody would miss what it costs to make a tensor and to move it, or a script without functions shows how it is done."""
        at_top = self.file.function(moved) is self.file.module and next(self.file.tree.loops(moved), None) is None
        if self._is_cached(moved) or self._is_sample(moved) or self._is_rescue(moved):
            return False
        if self.is_given(made) or self.is_given(moved):
            return not self._evaluates(moved)
        return at_top or self.has(moved) and not (self._is_trained(moved) and _is_small(made))  # in the loop itself a number costs alike

    def _is_cached(self, moved: cst.Call) -> bool:
        """Whether it is kept where a condition around it found none: made once for each key, or once and for all."""
        assign = next((each for each in self.file.ancestors(moved) if isinstance(each, (cst.Assign, cst.FunctionDef))), None)
        target = assign.targets[0].target if isinstance(assign, cst.Assign) else None
        if not isinstance(target, (cst.Subscript, cst.Attribute)):
            return False
        holder = self.file.source(target.value if isinstance(target, cst.Subscript) else target)
        word = cst.NotIn if isinstance(target, cst.Subscript) else cst.Is
        return any(
            isinstance(each, cst.If)
            and isinstance(each.test, cst.Comparison)
            and isinstance(each.test.comparisons[0].operator, word)
            and holder == self.file.source(each.test.comparisons[0].comparator if word is cst.NotIn else each.test.left)
            for each in self.file.ancestors(moved)
        )

    def _is_sample(self, moved: cst.Call) -> bool:
        """Whether a program is exported or drawn by it: `torch.onnx.export(model, example, path)`, once for each file that is written."""
        made = self.file.value(moved)
        recorders = (
            each
            for each in self.file.inside(self.file.function(moved), cst.Call)
            if self.file.qualname(each.func) in _RECORDERS or isinstance(each.func, cst.Attribute) and each.func.attr.value == "add_graph"
        )
        return any(part is made for call in recorders for arg in call.args for part in self.file.value(arg.value).lineage())

    def _is_rescue(self, moved: cst.Call) -> bool:
        """Whether it is made only where numbers have gone wrong: `if torch.isnan(weights).any():`"""
        tests = (each.test for each in when(self.file, moved) if each.arm is True)
        return any(last_name(part.func) in _WRONG for test in tests for part in descendants(test) if isinstance(part, cst.Call))

    def _evaluates(self, node: Node) -> bool:
        """Whether the function puts a module in eval mode and then makes it once: an evaluation is rare, and made of many passes."""
        function = self.file.function(node)
        if not isinstance(function, cst.FunctionDef) or next(self.file.tree.loops(node), None) is not None:
            return False
        switches = (self.file.parent(each) for each in self.file.attributes_inside(function, "eval"))
        return any(isinstance(each, cst.Call) and not each.args and self.file.is_after(node, each) for each in switches)

    def has(self, node: Node) -> bool:
        """Whether a node is evaluated in each pass forward or backward, or in each iteration of a loop that trains."""
        return self._is_trained(node) or self._is_called(self.file.function(node), _FAR)

    def is_given(self, node: Node) -> bool:
        """Whether an expression asks for the shape or device of what the function around it is given."""
        asked = (each for each in descendants(node) if isinstance(each, (cst.Attribute, cst.Call)))
        return any(self._is_parameter(subject) for each in asked if (subject := _subject(each)) is not None)

    def _is_called(self, function: Node, far: int) -> bool:
        if not isinstance(function, cst.FunctionDef):
            return False
        known = self._functions.get(function)
        if known is None:
            self._functions[function] = False  # a function that calls itself
            known = self._is_pass(function) or far > 0 and any(self._calls(each, far) for each in callers.calls(self.file, function))
            if known or far == _FAR:
                self._functions[function] = known
            else:
                del self._functions[function]
        return known

    def _calls(self, site: cst.Call, far: int) -> bool:
        return self._is_trained(site) or self._is_called(self.file.function(site), far - 1)

    def _is_trained(self, node: Node) -> bool:
        loop = self._hot.around(node)
        return loop is not None and self._hot.trains(loop)

    def _is_pass(self, function: cst.FunctionDef) -> bool:
        """`forward` of a module, `forward` and `backward` of an operation, and the steps of a module that a framework runs."""
        owner, name = self.file.owner(function), function.name.value
        if owner is None:
            return False
        return (
            owner.is_module
            and (name == "forward" or owner.is_managed and name in MANAGED_STEPS)
            or (name in ("forward", "backward") and "torch.autograd.Function" in owner.imported_bases)
        )

    def _is_parameter(self, node: cst.BaseExpression) -> bool:
        """Whether a value is, or is computed from, what the function around it is given."""
        own = {each.name for each in self._parameters(self.file.function(node))}
        queue = [self.file.value(node)]
        for each in queue:
            if isinstance(each.node, cst.Param) and each.node.name in own:
                return True
            queue += each.sources[: max(0, _DEEP - len(queue))]
        return False

    def _parameters(self, function: Node) -> Iterator[cst.Param]:
        if isinstance(function, cst.FunctionDef):
            given = [*function.params.posonly_params, *function.params.params, *function.params.kwonly_params]
            yield from (each for each in given if each.name.value not in ("self", "cls", "ctx"))


def _is_small(made: cst.Call) -> bool:
    """Whether the sizes are written out and come to a few numbers, or to a single row of them."""
    sizes = [arg.value for arg in made.args if arg.keyword is None]
    if len(sizes) == 1 and isinstance(sizes[0], (cst.Tuple, cst.List)):
        sizes = [each.value for each in sizes[0].elements]
    known = [literal(each) for each in sizes]
    if not known or any(each is True or each is not ... and not isinstance(each, int) for each in known):
        return False
    is_row = known[:-1] == [1] * (len(known) - 1) and (len(known) > 2 or isinstance(known[-1], int))
    return is_row or prod(each if isinstance(each, int) else _FEW + 1 for each in known) <= _FEW


def _subject(node: Node) -> cst.BaseExpression | None:
    """`x` of `x.shape`, `x.size(0)` and `len(x)`."""
    if isinstance(node, cst.Attribute):
        return node.value if node.attr.value in _ASKED else None
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "len" and len(node.args) == 1:
        return node.args[0].value
    return None

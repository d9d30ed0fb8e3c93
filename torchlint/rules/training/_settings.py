"""The arguments that optimizers and loaders are made with."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.values.value import Kind

LOADER = "torch.utils.data.DataLoader"


def given(call: cst.Call, name: str, position: int | None = None) -> cst.BaseExpression | None:
    """An argument, by keyword or by position."""
    for index, arg in enumerate(call.args):
        if arg.keyword is not None and arg.keyword.value == name or arg.keyword is None and index == position and not arg.star:
            return arg.value
    return None


def is_spread(call: cst.Call) -> bool:
    """Whether some of the arguments cannot be seen: `*args`, `**options`."""
    return any(arg.star for arg in call.args)


def number(file: FileAnalysis, node: cst.BaseExpression) -> float | None:
    """A number that is spelt out, here or where a name is given it once and for all."""
    if isinstance(node, cst.Name):
        binding = file.names.definition(node)
        if binding is None or binding.value is None or len(file.names.bindings(node)) != 1:
            return None
        node = binding.value
    found = literal(node)
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def decayed_adams(file: FileAnalysis) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    """Where Adam is made with a weight decay that is part of the gradient, and that decay."""
    for call in file.calls("torch.optim.Adam"):
        decay = given(call, "weight_decay", 4)
        decoupled = given(call, "decoupled_weight_decay")
        if decay is not None and (number(file, decay) or 0) > 0 and (decoupled is None or literal(decoupled) is False):
            yield call, decay


_RATE_IS_PART_OF_THE_METHOD = frozenset("LBFGS Adadelta Rprop Adafactor".split())
"""What they do without a rate of one's own is what their authors wrote down."""


def without_rate(file: FileAnalysis) -> Iterator[cst.Call]:
    """Optimizers of torch that are made without a learning rate, of parameters that come without one as well."""
    for call in file.nodes(cst.Call):
        path = file.qualname(call.func) or ""
        family, _, name = path.rpartition(".")
        if family != "torch.optim" or not name[:1].isupper() or name == "Optimizer" or name in _RATE_IS_PART_OF_THE_METHOD:
            continue
        parameters = given(call, "params", 0)
        has_groups = isinstance(parameters, (cst.List, cst.ListComp, cst.Tuple, cst.Name, cst.Attribute))
        if parameters is not None and not has_groups and not is_spread(call) and given(call, "lr", 1) is None:
            yield call


def without_batch_size(file: FileAnalysis) -> Iterator[cst.Call]:
    """Loaders that are made without a word about batches: each holds one sample."""
    for call in file.calls(LOADER):
        has_data = given(call, "dataset", 0) is not None and not is_spread(call)
        if has_data and given(call, "batch_size", 1) is None and given(call, "batch_sampler", 4) is None:
            yield call


def zeroed(file: FileAnalysis) -> Iterator[tuple[cst.Call, cst.Arg]]:
    """Where gradients are set to zeros and not let go, and the argument that says so; nowhere if the function looks at gradients itself."""
    for call in file.methods("zero_grad"):
        argument = next((arg for arg in call.args if arg.keyword is None or arg.keyword.value == "set_to_none"), None)
        if not isinstance(call.func, cst.Attribute) or argument is None or argument.star or literal(argument.value) is not False:
            continue
        held = file.value(call.func.value)
        looks = any(file.function(each) is file.function(call) for each in file.tree.attributes.get("grad", ()))
        if held.kind in (Kind.OPTIMIZER, Kind.MODULE) and not looks:
            yield call, argument

"""Anomaly detection that every run pays for: each operation notes where it was called, and each gradient is looked through."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule

_SETS, _ENTERS = "torch.autograd.set_detect_anomaly", "torch.autograd.detect_anomaly"
_DEPTH = 3


@rule("TL115", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("detect_anomaly",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    calls = {
        call: file.qualname(call.func) == _ENTERS or bool(call.args) and file.literal(call.args[0].value) is True for call in _calls(file)
    }
    if any(file.literal(call.args[0].value) is False for call in calls if call.args and file.qualname(call.func) == _SETS):
        return  # it is switched off again
    for call, is_on in calls.items():
        parent = file.parent(call)
        if not is_on or not isinstance(parent, (cst.Expr, cst.WithItem)) or not _is_reached(file, call, _DEPTH):
            continue  # as a setting says, kept for later, or in a function that nobody here is sure to call
        yield Finding(
            call,
            f"`{file.source(call)}` is left on: training is several times slower with it",
            help="switch it on to look for a NaN, under a flag",
            fix=_off(file, call, parent),
        )


def _calls(file: FileModel) -> Iterator[cst.Call]:
    yield from file.calls(_SETS, _ENTERS, "torch.autograd.anomaly_mode.set_detect_anomaly", "torch.autograd.anomaly_mode.detect_anomaly")


def _is_reached(file: FileModel, node: cst.CSTNode, depth: int) -> bool:
    """Whether nothing but the program's own start, or a backward in the same function, is needed to come here."""
    if not depth or any(not _asks_for_main(each.test) for each in file.when(node)):
        return False
    function = file.function(node)
    if not isinstance(function, cst.FunctionDef):
        return isinstance(function, cst.Module)
    if file.analysis.relevance.reaches_backward(function):
        return True
    calls = (call for call in file.nodes(cst.Call) if isinstance(call.func, cst.Name) and call.func.value == function.name.value)
    return any(file.function(call) is not function and _is_reached(file, call, depth - 1) for call in calls)


def _asks_for_main(test: cst.CSTNode) -> bool:
    return isinstance(test, cst.Comparison) and isinstance(test.left, cst.Name) and test.left.value == "__name__"


def _off(file: FileModel, call: cst.Call, parent: cst.CSTNode) -> Fix | None:
    if isinstance(parent, cst.Expr):
        return rewrite.delete_statement(call)
    name = file.spelling(_SETS, call)
    return rewrite.replace(call, f"{name}(False)") if name is not None else None

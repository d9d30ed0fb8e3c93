"""Anomaly detection that every run pays for: each operation notes where it was called, and each gradient is looked through."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.autograd._reached import is_reached

_SETS, _ENTERS = "torch.autograd.set_detect_anomaly", "torch.autograd.detect_anomaly"


@rule("TL115", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("detect_anomaly",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    calls = {
        call: file.qualname(call.func) == _ENTERS or bool(call.args) and file.literal(call.args[0].value) is True for call in _calls(file)
    }
    if any(file.literal(call.args[0].value) is False for call in calls if call.args and file.qualname(call.func) == _SETS):
        return  # it is switched off again
    for call, is_on in calls.items():
        parent = file.parent(call)
        if not is_on or not isinstance(parent, (cst.Expr, cst.WithItem)) or not is_reached(file.analysis, call):
            continue  # as a setting says, kept for later, or in a function that nobody here is sure to call
        yield Finding(
            call,
            f"`{file.source(call)}` is left on: training is several times slower with it",
            help="switch it on to look for a NaN, under a flag",
            fix=_off(file, call, parent),
        )


def _calls(file: FileModel) -> Iterator[cst.Call]:
    yield from file.calls(_SETS, _ENTERS, "torch.autograd.anomaly_mode.set_detect_anomaly", "torch.autograd.anomaly_mode.detect_anomaly")


def _off(file: FileModel, call: cst.Call, parent: cst.CSTNode) -> Fix | None:
    if isinstance(parent, cst.Expr):
        return rewrite.delete_statement(call)
    name = file.spelling(_SETS, call)
    return rewrite.replace(call, f"{name}(False)") if name is not None else None

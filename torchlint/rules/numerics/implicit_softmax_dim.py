"""Softmax without `dim`: which dimension it normalises depends on how many there are."""

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from torchlint import rewrite
from torchlint.facts.operations import Form
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.numerics._idle import is_idle
from torchlint.rules.numerics._ranks import is_turned, rank

_MODULES = ("torch.nn.Softmax", "torch.nn.LogSoftmax", "torch.nn.Softmin")


@rule("TL606", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("oftmax", "oftmin"))
def check(file: FileModel) -> Iterator[Finding]:
    used = list(file.operations("softmax", "log_softmax", "softmin"))
    for use in used:
        if use.form is not Form.FUNCTION or not use.operation.path.startswith("torch.nn.functional.") or not use.call.args:
            continue
        if any(isinstance(each.test, cst.BaseExpression) and "version" in file.source(each.test).lower() for each in file.when(use.call)):
            continue  # for a torch that had no `dim` yet
        given = use.value("input")
        if use.literal("dim") is None or not use.may_have("dim"):
            found = _finding(file, use.call, {rank(file.analysis, given) if given is not None else None})
            yield replace(found, is_for_askers=is_turned(file.analysis, use.call.args[0].value))
    for call in file.calls(*_MODULES):
        if is_idle(file.analysis, call):
            continue  # nobody calls it
        if all(arg.keyword is not None and arg.keyword.value == "dim" and file.literal(arg.value) is None for arg in call.args):
            inputs = [use.value("input") for use in used if use.made_with is not None and use.made_with.call is call]
            yield _finding(file, call, {rank(file.analysis, each) if each is not None else None for each in inputs})


def _finding(file: FileModel, call: cst.Call, ranks: set[int | None]) -> Finding:
    """Without `dim`, it is 0 for tensors of no, one or three dimensions, else 1."""
    said = "which dimension is normalised depends on how many there are: the first of three, the second of two or four"
    if ranks == {3}:
        said = "of three dimensions the first is normalised, which is mostly the batch"
    fix = None
    if ranks and ranks <= {1, 2}:
        fix = rewrite.replace_argument(call.args[-1], "dim=-1") if _is_spelt(file, call) else rewrite.insert_argument(call, "dim=-1")
    return Finding(call, f"`{file.source(call.func)}` is called without `dim`, and {said}", help="pass `dim`", fix=fix)


def _is_spelt(file: FileModel, call: cst.Call) -> bool:
    """`dim=None`, as the last argument."""
    return bool(call.args) and call.args[-1].keyword is not None and call.args[-1].keyword.value == "dim"

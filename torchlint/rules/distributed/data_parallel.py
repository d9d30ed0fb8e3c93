"""`nn.DataParallel`: one process that drives all GPUs."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import DISPLAY, KEEPS, WARNING, Finding, Fix, rule
from torchlint.rules.distributed._launch import DDP, Program, has_no_gpu, is_test
from torchlint.rules.distributed._unwrapping import loads_keys, never_runs


@rule("TL701", severity=WARNING, fix=DISPLAY, effect=KEEPS, mentions=("DataParallel",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    calls = [call for call in file.calls("torch.nn.DataParallel") if call.args and not _has_one_device(call)]
    program = Program(file.analysis) if calls else None
    for call in calls:
        if program is None or has_no_gpu(file.analysis, call) or program.has_one_device():
            continue  # the module is called directly, nothing is copied
        if never_runs(file.analysis, call) or program.predicts(call) and loads_keys(file.analysis, call):
            continue  # wrapped for the keys of a checkpoint
        if is_test(file.analysis, call):
            continue  # DataParallel itself is tried
        advice, places = program.advice(call)
        yield Finding(
            call,
            f"`DataParallel` copies `{_wrapped(file, call)}` to every GPU {_how_often(program, call)}, all from one process",
            help=advice,
            fix=_fix(file, call) if not program.predicts(call) and program.distributed(call) is None else None,
            related=places,
        )


def _how_often(program: Program, call: cst.Call) -> str:
    return "for every batch that it predicts" if program.predicts(call) else "in every step"


def _has_one_device(call: cst.Call) -> bool:
    given = {arg.keyword.value if arg.keyword is not None else place: arg.value for place, arg in enumerate(call.args)}
    devices = given.get("device_ids", given.get(1))
    return (
        isinstance(devices, (cst.List, cst.Tuple))
        and len(devices.elements) == 1
        and not isinstance(devices.elements[0], cst.StarredElement)
    )


def _wrapped(file: FileModel, call: cst.Call) -> str:
    module = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "module"), call.args[0])
    return " ".join(file.source(module.value).split())


def _fix(file: FileModel, call: cst.Call) -> Fix:
    name = file.spelling(DDP, call) or "DistributedDataParallel"
    text = f"{name}({_wrapped(file, call)}, device_ids=[local_rank])"
    return rewrite.replace(call, text).saying("the wrap in a process that `torchrun` started, with `local_rank` from its environment")

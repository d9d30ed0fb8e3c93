"""`nn.DataParallel`: one process that drives all GPUs."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import DISPLAY, KEEPS, WARNING, Finding, Fix, rule
from torchlint.rules.distributed._launch import DDP, Course, Program, has_no_gpu, is_test
from torchlint.rules.distributed._trained import is_part, promises
from torchlint.rules.distributed._unwrapping import never_runs


@rule("TL701", severity=WARNING, fix=DISPLAY, effect=KEEPS, mentions=("DataParallel",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    calls = [call for call in file.calls("torch.nn.DataParallel") if call.args and not _has_one_device(call)]
    program = Program(file.analysis) if calls else None
    for call in calls:
        if program is None or has_no_gpu(file.analysis, call) or program.has_one_device(call) or program.takes_single_samples():
            continue  # the module is called directly, nothing is copied
        if never_runs(file.analysis, call) or is_test(file.analysis, call) or promises(file.analysis, call):
            continue  # wrapped for the keys of a checkpoint; DataParallel itself is tried, or asked for
        launched = program.distributed(call)
        course = program.course(call) if launched is None else Course.TRAINS
        if course is None or is_part(file.analysis, call):
            continue  # nothing is trained through it; the rest of the model would be left alone
        advice, places = program.advice(call, course)
        often = "for every batch that it predicts" if course is Course.PREDICTS else "in every step"
        yield Finding(
            call,
            f"`DataParallel` copies `{_wrapped(file, call)}` to every GPU {often}, all from one process",
            help=advice,
            fix=_fix(file, call) if course is not Course.PREDICTS and launched is None else None,
            related=places,
            is_for_askers=not program.would_gain(call, course),
        )


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

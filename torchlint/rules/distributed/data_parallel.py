"""`nn.DataParallel`: one process that drives all GPUs."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import DISPLAY, KEEPS, WARNING, Finding, Fix, rule
from torchlint.rules.distributed._unwrapping import never_runs

_DDP = "torch.nn.parallel.DistributedDataParallel"


@rule("TL701", severity=WARNING, fix=DISPLAY, effect=KEEPS, mentions=("DataParallel",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls("torch.nn.DataParallel"):
        if not call.args or _has_one_device(call):
            continue  # the module is called directly, nothing is copied
        if never_runs(file.analysis, call):
            continue  # wrapped for the keys of a checkpoint, and unwrapped again
        wrapped = file.source(call.args[0].value)
        yield Finding(
            call,
            f"`DataParallel` copies `{' '.join(wrapped.split())}` to every GPU in every step, all from one process",
            help="run one process per GPU with `DistributedDataParallel`; " + "; ".join(dict.fromkeys(_missing(file))),
            fix=_fix(file, call),
        )


def _has_one_device(call: cst.Call) -> bool:
    given = {arg.keyword.value if arg.keyword is not None else place: arg.value for place, arg in enumerate(call.args)}
    devices = given.get("device_ids", given.get(1))
    return (
        isinstance(devices, (cst.List, cst.Tuple))
        and len(devices.elements) == 1
        and not isinstance(devices.elements[0], cst.StarredElement)
    )


def _missing(file: FileModel) -> Iterator[str]:
    """What this file would need besides the wrap, in the order of a program."""
    yield "start it with `torchrun --nproc_per_node=GPUS`"
    if next(file.calls("torch.distributed.init_process_group"), None) is None:
        yield 'call `torch.distributed.init_process_group("nccl")` and read `local_rank = int(os.environ["LOCAL_RANK"])` first'
    for loader in file.calls("torch.utils.data.DataLoader"):
        dataset = loader.args[0].value if loader.args else None
        if dataset is not None and all(arg.keyword is None or arg.keyword.value != "sampler" for arg in loader.args):
            yield f"give the loader of `{file.source(dataset)}` `sampler=DistributedSampler({file.source(dataset)})` instead of `shuffle`"
    if next(file.calls("torch.save"), None) is not None:
        yield "save on one rank only"


def _fix(file: FileModel, call: cst.Call) -> Fix:
    name = file.spelling(_DDP, call) or "DistributedDataParallel"
    module = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "module"), call.args[0])
    text = f"{name}({file.source(module.value)}, device_ids=[local_rank])"
    return rewrite.replace(call, text).saying("the wrap in a process that `torchrun` started, with `local_rank` from its environment")

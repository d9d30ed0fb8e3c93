"""A tensor that is made on the CPU only to be copied to a device."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, WARNING, Finding, rule
from torchlint.rules.device._building import built_in_place, device_of
from torchlint.rules.device._each_pass import EachPass
from torchlint.rules.device._host import is_host
from torchlint.rules.device._moves import created_then_moved
from torchlint.rules.device._often import Runs
from torchlint.rules.device._older import is_older


@rule("TL401", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=(".to(", ".cuda("), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    runs, passes = Runs(file.analysis), EachPass(file.analysis)
    made = list(created_then_moved(file.analysis))
    for found in made if made and not is_older(file.analysis) else ():
        if runs.is_lost(found.move.call) or runs.is_shown(found.move.call):
            continue  # once, beside a program that works on; or to show that something works
        if found.move.device is not None and is_host(file.analysis, found.move.device):
            continue  # nobody passes another device than the CPU
        if file.torch(found.move.call).oldest < (0, 4):
            continue  # constructors took no device then
        name = file.source(found.factory.func)
        where = f"where `{file.source(found.factory.args[0].value)}` is" if found.path.endswith("_like") else "on the CPU"
        yield Finding(
            found.move.call,
            f"`{name}(...)` is built {where} and then copied: the first tensor is thrown away",
            help=f"build it in place with `device={device_of(file.analysis, found)}`",
            fix=built_in_place(file.analysis, found),
            related=((found.creation, "built here"),) if found.creation is not None else (),
            # a permutation of a batch is a few numbers, which a GPU has to sort
            is_for_askers=found.path == "torch.randperm" or not passes.is_felt(found.factory, found.move.call),
        )

"""The host waits for the device in every iteration."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.device._queue import finds_little, holds_up
from torchlint.rules.device._waits import Wait, stalls

_MPS = ("'mps'", '"mps"')


@rule(
    "TL402",
    severity=WARNING,
    fix=UNSAFE,
    effect=KEEPS,
    mentions=("cuda", "device", "prepare", "Fabric", "training_step"),
    quiet_in_tests=True,
)
def check(file: FileModel) -> Iterator[Finding]:
    for stall in stalls(file.analysis):
        for wait, earlier in zip(stall.waits, (None, *stall.waits), strict=False):  # no fix helps as long as the loop waits elsewhere
            yield Finding(
                wait.node,
                f"`{' '.join(file.source(wait.node).split())}` makes the host wait for the device in every iteration",
                help=wait.advice,
                fix=_fix(file, wait) if stall.only_adds else None,
                related=tuple(wait.related),
                is_for_askers=not holds_up(wait) or earlier is not None and finds_little(wait, earlier),
            )


def _fix(file: FileModel, wait: Wait) -> Fix | None:
    added, names, read = Fix(()), [], []
    for each in wait.row:
        total = each.total
        if total is None or not total.is_count and any(literal in file.text for literal in _MPS):
            return None  # MPS has no double precision
        tensor = file.source(total.tensor, whole=True)
        # in double precision the sum is the one that Python's floats give
        added += rewrite.replace(each.node, tensor if total.is_count else f"{tensor}.detach().double()")
        names.append(total.name.value)
        read.append(f"{total.name.value} = {'int' if total.is_count else 'float'}({total.name.value})")
    said = " and ".join(f"`{name}`" for name in names)
    return (added + rewrite.insert_after(wait.loop, "\n".join(read))).saying(f"keep {said} on the device until the loop is over")

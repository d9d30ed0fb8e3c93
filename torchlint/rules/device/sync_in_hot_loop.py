"""The host waits for the device in every iteration."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.device._waits import Stall, Wait, stalls


@rule("TL402", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("cuda", "device", "prepare", "Fabric"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for stall in stalls(file.analysis):
        if stall.only_adds:
            yield from (_finding(file, stall, wait, _fix(file, wait)) for wait in stall.waits)
        else:  # one wait less gains nothing as long as there is another
            yield _finding(file, stall, stall.waits[0], None, *stall.waits[1:])


def _finding(file: FileModel, stall: Stall, wait: Wait, fix: Fix | None, *others: Wait) -> Finding:
    loop = stall.loop
    return Finding(
        wait.node,
        f"`{' '.join(file.source(wait.node).split())}` makes the host wait for the device in every iteration",
        help=wait.advice,
        fix=fix,
        related=(
            *((other.node, "waits here as well") for other in others),
            (loop.target if isinstance(loop, cst.For) else loop.test, "in this loop"),
            *((wait.moved,) if wait.moved is not None else ()),
        ),
    )


def _fix(file: FileModel, wait: Wait) -> Fix | None:
    total = wait.total
    if total is None:
        return None
    tensor = file.source(total.tensor, whole=True)
    name, kind = total.name.value, "int" if total.is_count else "float"
    # in double precision the sum is the one that Python's floats give
    added = rewrite.replace(wait.node, tensor if total.is_count else f"{tensor}.detach().double()")
    return (added + rewrite.insert_after(wait.loop, f"{name} = {kind}({name})")).saying(
        f"keep `{name}` on the device until the loop is over"
    )

"""The host waits for the device in every iteration."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.device._hot import Iteration
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
        for wait in stall.waits:  # a fix gains nothing as long as the loop waits elsewhere
            yield _finding(file, stall.loop, wait, _fix(file, wait) if stall.only_adds else None)


def _finding(file: FileModel, loop: Iteration, wait: Wait, fix: Fix | None) -> Finding:
    return Finding(
        wait.node,
        f"`{' '.join(file.source(wait.node).split())}` makes the host wait for the device in every iteration",
        help=wait.advice,
        fix=fix,
        related=(
            _place(loop),
            *((wait.moved,) if wait.moved is not None else ()),
        ),
    )


def _place(loop: Iteration) -> tuple[cst.CSTNode, str]:
    if isinstance(loop, cst.FunctionDef):
        return loop.name, "called for every batch"
    return loop.target if isinstance(loop, cst.For) else loop.test, "in this loop"


def _fix(file: FileModel, wait: Wait) -> Fix | None:
    total = wait.total
    if total is None or not total.is_count and any(literal in file.text for literal in _MPS):
        return None  # MPS has no double precision
    tensor = file.source(total.tensor, whole=True)
    name, kind = total.name.value, "int" if total.is_count else "float"
    # in double precision the sum is the one that Python's floats give
    added = rewrite.replace(wait.node, tensor if total.is_count else f"{tensor}.detach().double()")
    return (added + rewrite.insert_after(wait.loop, f"{name} = {kind}({name})")).saying(
        f"keep `{name}` on the device until the loop is over"
    )

"""The host waits for the device in every iteration."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.device._waits import Wait, waits


@rule("TL402", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("cuda", "device", "prepare", "Fabric"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for wait in waits(file.analysis):
        yield Finding(
            wait.node,
            f"`{' '.join(file.source(wait.node).split())}` makes the host wait for the device in every iteration",
            help="add up on the device, and read the total once after the loop"
            if wait.total is not None
            else "read it every so many steps, or after the loop",
            fix=_fix(file, wait),
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

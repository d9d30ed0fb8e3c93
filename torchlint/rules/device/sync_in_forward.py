"""A module's `forward` waits for the device to read a number that it could do without."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import WARNING, Finding, rule
from torchlint.rules.device._forward import Goal, is_explained, reads
from torchlint.rules.device._waits import stalls


@rule("TL403", severity=WARNING, mentions=("forward",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    found = list(reads(file.analysis))
    if not found:
        return
    reported = {each.node for stall in stalls(file.analysis) for wait in stall.waits for each in wait.row}
    for node, goal in found:
        if node in reported:
            continue  # in a loop over batches that is in sight: TL402 speaks of it there
        yield Finding(
            node,
            f"`{' '.join(file.source(node).split())}` makes every `forward` wait for the device, and breaks a compiled graph in two",
            help=goal.value,
            is_for_askers=goal is Goal.SHOWN or is_explained(file.analysis, node),  # printed to be seen; or read on purpose
        )

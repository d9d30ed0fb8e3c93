"""A Python loop goes through a tensor element by element."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import WARNING, Finding, rule
from torchlint.rules.device._elements import element_reads, is_of_python


@rule("TL411", severity=WARNING, mentions=("for ",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for loop, tensor, node in element_reads(file.analysis):
        yield Finding(
            node,
            f"this loop goes through `{file.source(tensor)}` element by element, and every access makes a tensor of its own",
            help="compute on the whole tensor, or take all numbers at once with `.tolist()` before the loop",
            related=((loop.target, "in this loop"),),
            is_for_askers=is_of_python(file.analysis, tensor),
        )

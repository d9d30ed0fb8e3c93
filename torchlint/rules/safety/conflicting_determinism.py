"""The benchmark of cuDNN in a program that asks for deterministic results."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.safety._determinism import conflicts


@rule("TL905", severity=ERROR, mentions=("benchmark",))
def check(file: FileModel) -> Iterator[Finding]:
    for benchmark, asked in conflicts(file.analysis):
        place = (asked.node, "asked for here") if asked.file is file.analysis else (asked.node, "asked for here", asked.file)
        yield Finding(
            benchmark.node,
            "the benchmark picks algorithms by their speed of the moment: runs differ, though deterministic results are asked for",
            help="set `torch.backends.cudnn.benchmark = False`, or ask for no determinism",
            related=(place,),
        )

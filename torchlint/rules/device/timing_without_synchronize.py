"""A span of time that ends before the device has done what is timed."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.device._clocks import unawaited_spans


@rule("TL408", severity=INFO, default=False, mentions=("time",))
def check(file: FileModel) -> Iterator[Finding]:
    for span, work in unawaited_spans(file.analysis):
        yield Finding(
            span,
            f"`{file.source(span)}` may be over before the device is: it measures how long it takes to ask for the work",
            help="call `torch.cuda.synchronize()` before each reading of the clock, or use `torch.cuda.Event`",
            related=((work, "this is still running"),),
        )

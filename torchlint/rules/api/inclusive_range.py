"""`torch.range`, which includes its end, yields floats, and is going to be removed."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, WARNING, Finding, rule
from torchlint.rules.api._inclusive import is_range, without_range


@rule("TL803", severity=WARNING, fix=SAFE, effect=KEEPS, aliases=("TOR101",), mentions=("range",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls("torch.range"):
        fix = without_range(file.analysis, call) if is_range(call) else None
        yield Finding(
            call,
            f"`{file.source(call.func)}` includes its end, yields floats whatever it is given, and will be removed from torch",
            help="use `torch.arange`, whose end is left out, and say the `dtype`" if fix is None else None,
            fix=fix,
        )

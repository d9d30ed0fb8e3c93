"""An argument that torch takes no more, calls otherwise today, or asks for."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, WARNING, Finding, rule
from torchlint.rules.api._changed import arguments, findings
from torchlint.rules.api._legacy import legacy_calls, names_of_async
from torchlint.rules.api._schedulers import told_epochs

_WORDS = (
    *("size_average", "reduce", "Loss(", "cross_entropy(", "_loss(", "verbose", "unbiased", "meshgrid", "async"),
    *("add", "sub_", "sub(", "addr", "bmm", "lr_scheduler"),
)


@rule("TL805", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=_WORDS)
def check(file: FileModel) -> Iterator[Finding]:
    yield from findings(file.analysis, arguments)
    yield from legacy_calls(file.analysis)
    yield from names_of_async(file.analysis)
    yield from told_epochs(file.analysis)

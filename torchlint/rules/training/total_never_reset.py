"""A total of an epoch's batches that is averaged in every epoch and never reset."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.training._totals import never_reset


@rule("TL230", severity=INFO, default=False, mentions=("+=",))
def check(file: FileModel) -> Iterator[Finding]:
    for found in never_reset(file.analysis):
        name = file.source(found.average.left)
        yield Finding(
            found.average,
            f"`{name}` is the total of all epochs so far, and divided by the batches of one: the average grows from epoch to epoch",
            help=f"set `{name}` to zero at the beginning of each epoch",
            related=((found.start, "set to zero here, once"), (found.addition, "added to here")),
        )

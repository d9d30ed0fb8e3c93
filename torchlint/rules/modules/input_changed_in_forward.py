"""A `forward` that changes its argument in place, and a caller that uses it again."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.modules._inputs import changed_inputs


@rule("TL320", severity=INFO, default=False, mentions=("forward",))
def check(file: FileModel) -> Iterator[Finding]:
    for change, name, used in changed_inputs(file.analysis):
        yield Finding(
            change,
            f"this changes the caller's `{file.source(used)}`, which is used again afterwards: `{name}` is the same tensor",
            help="compute a new tensor",
            related=((used, "the caller uses it again here"),),
        )

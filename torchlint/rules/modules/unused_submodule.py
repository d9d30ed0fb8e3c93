"""A layer that a constructor registers and that nothing in the program uses."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.modules._unused import unused


@rule("TL316", severity=INFO, default=False, mentions=("Module",))
def check(file: FileModel) -> Iterator[Finding]:
    for target, _ in unused(file.analysis):
        yield Finding(
            target,
            f"nothing uses `{file.source(target)}`: its weights take memory, are saved, and never get a gradient",
            help="use it in `forward`, or remove it",
        )

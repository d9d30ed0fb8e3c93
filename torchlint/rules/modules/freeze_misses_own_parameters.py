"""A loop over a module's children that freezes them, and leaves out the parameters of the module itself."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.modules._freezes import partial_freezes


@rule("TL317", severity=INFO, default=False, mentions=("children()",))
def check(file: FileModel) -> Iterator[Finding]:
    for _, call, name in partial_freezes(file.analysis):
        yield Finding(
            call,
            f"`{name}` belongs to the module itself and to none of its children: it goes on training",
            help="freeze the module: `requires_grad_(False)`",
        )

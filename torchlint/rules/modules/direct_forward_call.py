"""A module's `forward` that is called instead of the module."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, UNSAFE, WARNING, Finding, rule
from torchlint.rules.modules._calling import direct_calls


@rule("TL305", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=(".forward(",), quiet_in_tests=True, default=False)
def check(file: FileModel) -> Iterator[Finding]:
    for found in direct_calls(file.analysis):
        yield Finding(
            found.call.func,
            f"`{file.source(found.call.func)}` skips the hooks of the module",
            help=f"call `{file.source(found.module)}` itself",
            fix=rewrite.replace(found.call.func, file.source(found.module, whole=True)).at_most(SAFE if found.is_certain else UNSAFE),
        )

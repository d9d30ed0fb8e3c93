"""A method that is named as a statement and not called."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, rule
from torchlint.rules.training._uncalled import needs_argument, uncalled
from torchlint.values.value import Kind

_CERTAIN = frozenset({Kind.MODULE, Kind.OPTIMIZER, Kind.SCHEDULER, Kind.SCALER})


@rule("TL219", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("torch",))
def check(file: FileModel) -> Iterator[Finding]:
    for named, held in uncalled(file.analysis):
        text = file.source(named)
        fix = rewrite.replace(named, f"{text}()").saying(f"call `{named.attr.value}`")
        yield Finding(
            named,
            f"`{text}` is named here and not called: nothing happens",
            help=f"write `{text}(...)`" if needs_argument(held) else f"write `{text}()`",
            fix=None if needs_argument(held) else fix.at_most(SAFE if held.kind in _CERTAIN or held.has_graph else UNSAFE),
        )

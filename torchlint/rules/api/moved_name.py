"""A name that lies elsewhere in torch today."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, WARNING, Finding, rule
from torchlint.rules.api._changed import findings, moved

_WORDS = ("autocast", "GradScaler", "custom_fwd", "custom_bwd", "functorch", "stateless", "_pytree", "collate", "_LRScheduler", "load_url")
_CODES = ("TOR101", "TOR103", "TOR104", "TOR105")


@rule("TL804", severity=WARNING, fix=SAFE, effect=KEEPS, aliases=_CODES, mentions=_WORDS)
def check(file: FileModel) -> Iterator[Finding]:
    yield from findings(file.analysis, moved)

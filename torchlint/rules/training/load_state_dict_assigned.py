"""What `load_state_dict` returns, taken for the module that it loads into."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, Fix, rule
from torchlint.rules.training._loaded import Taken, taken


@rule("TL221", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("load_state_dict",))
def check(file: FileModel) -> Iterator[Finding]:
    for found in taken(file.analysis):
        yield Finding(
            found.call,
            f"`load_state_dict` returns {found.returned}, not the {found.loaded.kind.value} that it loads into",
            help="call it as a statement of its own",
            fix=_fix(file, found),
            related=() if found.use is found.call else ((found.use, "used here as if it were"),),
        )


def _fix(file: FileModel, found: Taken) -> Fix | None:
    if found.statement is None:
        return None  # what it loads into has no name
    is_certain = found.loaded.cls is not None or found.loaded.qualname is not None
    fix = rewrite.replace_statement(found.statement, file.source(found.call))
    return fix.saying("do not assign what it returns").at_most(SAFE if is_certain else UNSAFE)

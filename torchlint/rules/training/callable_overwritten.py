"""A loss or a model that a loop replaces by what it returns, and calls again."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.training._shadowed import shadowed


@rule("TL227", severity=ERROR, mentions=("for ", "while "))
def check(file: FileModel) -> Iterator[Finding]:
    for found in shadowed(file.analysis):
        name = file.source(found.call.func)
        yield Finding(
            found.call,
            f"`{name}` is replaced by what it returns: the next iteration calls that, and fails",
            help="give the result a name of its own",
            related=((found.loop, "in every iteration of this loop"),),
        )

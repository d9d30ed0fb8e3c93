"""An iterator over parameters that is used a second time, when nothing is left of it."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, rule
from torchlint.rules.training._iterators import used_up


@rule("TL215", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("parameters(", "modules(", "children(", "buffers("))
def check(file: FileModel) -> Iterator[Finding]:
    for found in used_up(file.analysis):
        name = file.source(found.again)
        is_same = found.first is found.again
        yield Finding(
            found.again,
            f"`{name}` is an iterator, and nothing is left of it "
            + ("after the first iteration of the loop" if is_same else "here: it is used up before"),
            help="keep a list",
            fix=rewrite.wrap(found.made, "list({})").saying("keep a list"),
            related=((found.made, "made here"), *(() if is_same else ((found.first, "used up here"),))),
        )

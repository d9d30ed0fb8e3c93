"""`.grad` of a result: torch keeps gradients for leaves, and it is None."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, rule
from torchlint.rules.autograd._results import reads


@rule("TL109", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=(".grad",))
def check(file: FileModel) -> Iterator[Finding]:
    kept: set[tuple[object, str]] = set()
    for read in reads(file.analysis):
        name = file.source(read.attribute.value)
        fix = rewrite.insert_before(read.backward, f"{name}.retain_grad()")
        is_first = (read.backward, name) not in kept
        kept.add((read.backward, name))
        yield Finding(
            read.attribute,
            f"`{name}` is a result, not a leaf: its `.grad` is None after `backward`",
            help=f"call `{name}.retain_grad()` before `backward`",
            fix=fix if is_first else None,
            related=((read.backward, "backward runs here"),),
        )

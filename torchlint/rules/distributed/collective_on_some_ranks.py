"""A collective call that only some ranks reach: they wait there for the others, which never come."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.distributed._ranks import left_alone


@rule("TL705", severity=ERROR, mentions=("distributed",))
def check(file: FileModel) -> Iterator[Finding]:
    for call, test in left_alone(file.analysis):
        yield Finding(
            call,
            f"only some ranks reach `{file.source(call.func)}`, and wait there for the others forever",
            help="let every rank call it, outside of the branch, or pass the `group` of those that do",
            related=((test, "which ranks come here is decided here"),),
        )

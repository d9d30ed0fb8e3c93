"""A transfer between processes is started, and nobody waits until it is done."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.distributed._transfers import unwaited


@rule("TL706", severity=ERROR, mentions=("isend", "irecv", "async_op"))
def check(file: FileModel) -> Iterator[Finding]:
    for call in unwaited(file.analysis):
        yield Finding(
            call,
            f"nobody waits for `{file.source(call.func)}`: its tensors are read or changed while the transfer may still be under way",
            help="keep the handle that it returns, and call `.wait()` on it before its tensors are used again",
        )

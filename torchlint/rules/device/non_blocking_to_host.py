"""A copy to the host that nobody waits for before it is read."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, rule
from torchlint.rules.device._host_copies import unawaited


@rule("TL410", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("non_blocking",))
def check(file: FileModel) -> Iterator[Finding]:
    for call, flag, read in unawaited(file.analysis):
        yield Finding(
            call,
            "the copy to the host may not have arrived when it is read: nothing waits for it",
            help="leave `non_blocking` out, or call `torch.cuda.synchronize()` before the tensor is read",
            fix=rewrite.remove_argument(flag).saying("wait for the copy"),
            related=((read, "read here"),) if read is not call else (),
        )

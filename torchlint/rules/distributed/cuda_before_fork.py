"""CUDA is set up before processes are forked that use it: they cannot."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.distributed._forking import forked


@rule("TL710", severity=ERROR, default=False, mentions=("multiprocessing",))
def check(file: FileModel) -> Iterator[Finding]:
    for call, before, within in forked(file.analysis):
        yield Finding(
            call,
            "a forked process cannot use CUDA after this one has: where processes are forked, as on Linux, it raises an exception",
            help='have them start anew: `torch.multiprocessing.set_start_method("spawn")`, or `torch.multiprocessing.spawn`',
            related=((before, "CUDA is set up here"), (within, "the process uses it here")),
        )

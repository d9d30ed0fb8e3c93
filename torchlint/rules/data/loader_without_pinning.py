"""A data loader whose batches are not pinned, in a program that sends them to a GPU."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import INFO, KEEPS, UNSAFE, Finding, Fix, rule
from torchlint.rules.data._loaders import Loader, loaders
from torchlint.rules.data._workers import stays_on_cpu


@rule("TL502", severity=INFO, default=False, fix=UNSAFE, effect=KEEPS, mentions=("DataLoader",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for loader in loaders(file.analysis):
        if loader.setting("pin_memory") is not False or loader["pin_memory"] is not None or not stays_on_cpu(loader):
            continue  # somebody has decided; batches that are on the GPU cannot be pinned
        if any(file.methods("pin_memory")) or not file.program.accelerators.here:
            continue
        yield Finding(
            loader.call,
            "batches are copied to the GPU from memory that is not pinned: slower, and the program waits for each copy",
            help="pass `pin_memory=True`, and move batches with `non_blocking=True`",
            fix=_fix(file, loader),
        )


def _fix(file: FileModel, loader: Loader) -> Fix:
    asked = file.spelling("torch.cuda.is_available", loader.call)  # without a GPU, pinning does nothing but warn
    return rewrite.insert_argument(loader.call, f"pin_memory={asked}()" if asked is not None else "pin_memory=True")

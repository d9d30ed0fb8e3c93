"""Tensors that are sent to a GPU in a worker process of a loader."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.data._workers import cuda_in_workers


@rule("TL506", severity=ERROR, mentions=("DataLoader",))
def check(file: FileModel) -> Iterator[Finding]:
    for found in cuda_in_workers(file.analysis):
        is_here = found.file is file.analysis
        workers = found.loader["num_workers"] or found.loader.call
        place = found.call if is_here else workers
        yield Finding(
            place,
            f"`{found.called}` runs in worker processes, which are forked and cannot use CUDA once the program has",
            help="return CPU tensors, and move each batch in the training loop; `pin_memory=True` makes that fast",
            related=((workers, "the workers"),) if is_here else ((found.call, "sent to a GPU here", found.file),),
        )

"""A dataset of many Python objects behind a loader with workers."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.data._contents import objects
from torchlint.rules.data._loaders import loaders


@rule("TL507", severity=INFO, default=False, mentions=("DataLoader",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    seen = set()
    for loader in loaders(file.analysis):
        workers = loader["num_workers"]
        if workers is None or loader.setting("num_workers") == 0:
            continue
        for name, filled in objects(file.analysis, loader):
            if filled not in seen:
                seen.add(filled)
                yield Finding(
                    filled,
                    f"each worker ends up with a copy of `self.{name}`: counting references writes to every object that it reads",
                    help="hold the samples in an array or a tensor, strings in an array of bytes",
                    related=((workers, "the workers"),),
                )

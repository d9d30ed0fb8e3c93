"""A data loader that shuffles in workers, in a program that is seeded."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.data._loaders import loaders


@rule("TL508", severity=INFO, default=False, mentions=("DataLoader",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for loader in loaders(file.analysis):
        workers = loader["num_workers"]
        if workers is None or loader.setting("num_workers") == 0 or loader.setting("shuffle") is not True:
            continue
        if any(loader.bound.may_have(name) for name in ("generator", "worker_init_fn")):
            continue
        seeds = file.program.seeds().here
        if seeds:
            yield Finding(
                loader.call,
                "order and workers are seeded from the global generator: any other random number drawn before changes them",
                help="pass a `generator` of its own, with a seed, and a `worker_init_fn`",
                related=((seeds[0], "the program is seeded here"),),
            )

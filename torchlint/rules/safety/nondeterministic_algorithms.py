"""A script that is seeded, and leaves torch the choice of its algorithms."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.safety._scripts import seeded_only


@rule("TL906", severity=INFO, default=False, mentions=("seed",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    seed = seeded_only(file.analysis)
    if seed is not None:
        yield Finding(
            seed,
            "a seed alone does not make runs equal: some operations of a GPU add in an order that changes",
            help="call `torch.use_deterministic_algorithms(True)`, which raises where there is no such algorithm",
        )

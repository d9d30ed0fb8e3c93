"""A random generator of a dataset that yields the same numbers in every worker."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.data._generators import duplicated


@rule("TL505", severity=ERROR, mentions=("default_rng", "RandomState", "Random(", "Generator("))
def check(file: FileModel) -> Iterator[Finding]:
    for held in duplicated(file.analysis):
        yield Finding(
            held.made,
            f"every worker gets a copy of this generator: `{file.source(held.use)}` yields the same numbers in each, and in every epoch",
            help="draw with the global generators, which each worker seeds, or make it in the worker from `get_worker_info().seed`",
            related=((held.use, "a sample is drawn with it here"),),
        )

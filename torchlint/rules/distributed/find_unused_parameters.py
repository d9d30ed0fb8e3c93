"""`find_unused_parameters=True`: the graph is searched for parameters that took no part, in every forward pass."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.distributed._wrapping import searching


@rule("TL703", severity=INFO, default=False, mentions=("find_unused_parameters",))
def check(file: FileModel) -> Iterator[Finding]:
    for argument in searching(file.analysis):
        yield Finding(
            argument,
            "every forward pass goes through the whole graph in search of parameters that take no part in the loss",
            help="leave it out if every parameter gets a gradient in every iteration: where one does not, an exception says so",
        )

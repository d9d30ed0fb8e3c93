"""`backward(retain_graph=True)` in a loop, of a graph that nothing goes through again."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.autograd._second_backward import needless


@rule("TL111", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("retain_graph",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for call, kept in needless(file.analysis):
        yield Finding(
            kept,
            f"`{file.source(call.func)}` keeps the activations of every iteration, and no other backward goes through them",
            help="leave `retain_graph` out: the graph is then freed as backward goes",
            fix=rewrite.remove_argument(kept),
        )

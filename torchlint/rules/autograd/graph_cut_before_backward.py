"""A backward from a loss that no graph leads to: no weight gets a gradient."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.autograd._cuts import cuts


@rule("TL103", severity=ERROR, mentions=("backward",))
def check(file: FileModel) -> Iterator[Finding]:
    for cut in cuts(file.analysis):
        yield Finding(
            cut.backward,
            "backward starts from a tensor of its own: no weight gets a gradient, and nothing is learnt"
            if cut.is_leaf
            else "what goes backward has no graph: `backward` raises an exception",
            help="go backward from the loss that the model computed",
            related=((cut.place, "the graph ends here"),) if cut.place is not None else (),
        )

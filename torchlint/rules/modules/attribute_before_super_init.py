"""A module or parameter that is assigned before the base constructor has run."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.modules._constructors import registered_too_early


@rule("TL312", severity=ERROR, mentions=("__init__",))
def check(file: FileModel) -> Iterator[Finding]:
    for model in file.classes():
        for node, base in registered_too_early(model):
            yield Finding(
                node,
                f"`{file.source(node)}` needs the tables that `torch.nn.Module.__init__` makes, which has not run yet: this raises",
                help="call `super().__init__()` first",
                related=((base, "the base constructor runs here"),),
            )

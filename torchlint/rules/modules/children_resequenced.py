"""A model taken apart into its children and put together in a row."""

from collections.abc import Iterator

import libcst as cst

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule
from torchlint.rules.modules._resequencing import children_in


@rule("TL315", severity=INFO, default=False, mentions=("children",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls("torch.nn.Sequential"):
        taken = children_in(file.analysis, call)
        if taken is None:
            continue  # not made of another model's children, or of a model that is a row of layers anyway
        model = taken.func.value if isinstance(taken.func, cst.Attribute) else taken
        yield Finding(
            call,
            f"the children of `{file.source(model)}` in a row are not what its `forward` computes: steps that are no layers are lost",
            help="replace the layer that is not wanted by `nn.Identity()`",
        )

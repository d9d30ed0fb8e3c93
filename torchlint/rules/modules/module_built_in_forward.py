"""A layer with weights or a mode that `forward` makes anew at each call."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.modules._building import built_in_forward


@rule("TL308", severity=ERROR, mentions=("forward",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in built_in_forward(file.analysis):
        name = file.source(call.func)
        loss = "it is always in training mode" if "Dropout" in name else "its weights are new at each call and never learn"
        yield Finding(call, f"`forward` makes a `{name}` each time it runs: {loss}", help="make it in `__init__`")

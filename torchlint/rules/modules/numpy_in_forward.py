"""A tensor that a module's `forward` takes to NumPy."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import WARNING, Finding, rule
from torchlint.rules.modules._numpy import numpy_calls


@rule("TL314", severity=WARNING, mentions=("numpy",))
def check(file: FileModel) -> Iterator[Finding]:
    for call, tensor, returns in numpy_calls(file.analysis):
        cost = "its gradient ends here, and" if returns else "it raises where that needs gradients or is on a GPU; elsewhere"
        yield Finding(
            call,
            f"`forward` takes `{file.source(tensor)}` to NumPy: {cost} the program waits for the device",
            help="use the functions of torch",
        )

"""`torch.compile` called again and again on the same thing, in a loop or in `forward`."""

from collections.abc import Iterator

import libcst as cst

from torchlint.model import FileModel
from torchlint.rule import WARNING, Finding, rule
from torchlint.rules.distributed._compiling import wrapped_anew


@rule("TL708", severity=WARNING, mentions=("compile",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for call, again in wrapped_anew(file.analysis):
        what, often = file.source(call.args[0].value), "forward pass" if isinstance(again, cst.FunctionDef) else "iteration"
        yield Finding(
            call,
            f"every {often} wraps `{' '.join(what.split())}` anew and sets it up again: about a millisecond each time",
            help="compile it once, in the constructor" if isinstance(again, cst.FunctionDef) else "compile it once, before the loop",
            related=((again.name if isinstance(again, cst.FunctionDef) else again, "called again and again from here"),),
        )

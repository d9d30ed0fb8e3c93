"""A functional dropout in a module that goes on dropping in evaluation mode."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, Finding, rule
from torchlint.rules.modules._modal import modal_calls


@rule("TL306", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("dropout",))
def check(file: FileModel) -> Iterator[Finding]:
    for use, instance in modal_calls(file, "dropout", "dropout1d", "dropout2d", "dropout3d"):
        if use.literal("p") == 0 or use.literal("p") == 1:
            continue  # drops nothing or everything, in any mode
        yield Finding(
            use.call,
            f"`{file.source(use.call.func)}` drops in evaluation mode too: its `training` is True unless it is given",
            help=f"pass `training={instance}.training`",
            fix=rewrite.insert_argument(use.call, f"training={instance}.training"),
        )

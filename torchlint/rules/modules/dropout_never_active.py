"""A functional dropout or batch norm in a module whose `training` is False unless it is given."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, Finding, rule
from torchlint.rules.modules._modal import is_frozen_norm, modal_calls


@rule("TL307", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("alpha_dropout", "rrelu", "batch_norm"))
def check(file: FileModel) -> Iterator[Finding]:
    for use, instance in modal_calls(file, "alpha_dropout", "feature_alpha_dropout", "rrelu", "batch_norm"):
        if use.name == "batch_norm" and is_frozen_norm(file, use):
            continue  # statistics and weights that are not meant to change
        does = "normalises with the running statistics" if use.name == "batch_norm" else "is not random"
        yield Finding(
            use.call,
            f"`{file.source(use.call.func)}` {does} in training mode either: its `training` is False unless it is given",
            help=f"pass `training={instance}.training`",
            fix=rewrite.insert_argument(use.call, f"training={instance}.training"),
        )

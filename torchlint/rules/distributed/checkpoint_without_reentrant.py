"""Activation checkpointing that leaves `use_reentrant` to a default that torch warns about."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.distributed._checkpointing import left_open


@rule("TL707", severity=WARNING, fix=UNSAFE, effect=KEEPS, aliases=("TOR003",), mentions=("checkpoint",))
def check(file: FileModel) -> Iterator[Finding]:
    for call, first in left_open(file.analysis):
        if file.torch(call).oldest < first:
            continue  # the oldest torch that the project supports does not take it
        yield Finding(
            call,
            f"`{file.source(call.func)}` without `use_reentrant` takes the reentrant variant, with a warning: "
            "where no input of the region requires a gradient, its weights get none",
            help="pass `use_reentrant=False`",
            fix=rewrite.insert_argument(call, "use_reentrant=False"),
            alternatives=(rewrite.insert_argument(call, "use_reentrant=True").saying("say that it is the reentrant variant, as now"),),
        )

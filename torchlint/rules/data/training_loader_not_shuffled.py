"""A data loader that is trained on in the same order in every epoch."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import INFO, REPAIRS, UNSAFE, Finding, rule
from torchlint.rules.data._epochs import trained_in_order


@rule("TL509", severity=INFO, default=False, fix=UNSAFE, effect=REPAIRS, mentions=("DataLoader",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for loader in trained_in_order(file.analysis):
        given = loader["shuffle"]
        arg = next((arg for arg in loader.call.args if arg.value is given), None) if given is not None else None
        yield Finding(
            loader.call,
            "the model is trained on these samples in the same order in every epoch",
            help="pass `shuffle=True`",
            fix=rewrite.insert_argument(loader.call, "shuffle=True") if arg is None else rewrite.replace(arg.value, "True"),
        )

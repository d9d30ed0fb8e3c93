"""`squeeze()` of a batch, which drops the batch dimension of a batch of one as well."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.facts.operations import Form
from torchlint.model import FileModel
from torchlint.rule import INFO, KEEPS, UNSAFE, Finding, rule
from torchlint.values.value import Kind


@rule("TL624", severity=INFO, fix=UNSAFE, effect=KEEPS, default=False, mentions=("squeeze(",))
def check(file: FileModel) -> Iterator[Finding]:
    for use in file.operations("squeeze"):
        tensor = use.arguments["input"]
        if tensor is None or use.may_have("dim"):
            continue  # the dimension is named
        value = file.value(tensor)
        if value.scalar or not any(each.kind is Kind.MODULE for each in value.sources) and not value.has_graph:
            continue  # one element; or not known to be what a model makes of a batch
        fix = rewrite.insert_argument(use.call, "-1") if use.form is Form.METHOD and not use.call.args else None
        yield Finding(
            use.call,
            "`squeeze()` drops every dimension of size 1: of a last batch of one, the batch dimension too",
            help="name the dimension: `squeeze(-1)`",
            fix=fix,
        )

"""A module of torchvision imported under the name that it has anyway."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import INFO, KEEPS, SAFE, Finding, rule


@rule("TL808", severity=INFO, default=False, fix=SAFE, effect=KEEPS, aliases=("TOR203",), mentions=("torchvision",))
def check(file: FileModel) -> Iterator[Finding]:
    for statement in file.nodes(cst.Import):
        for alias in statement.names:
            bound, path = alias.asname, file.source(alias.name)
            owner, _, last = path.rpartition(".")
            if bound is None or file.source(bound.name) != last or owner.partition(".")[0] != "torchvision":
                continue
            text = f"from {owner} import {last}"
            fix = rewrite.replace_statement(statement, text) if len(statement.names) == 1 else None
            yield Finding(alias, f"`{path}` is imported under the name that it has anyway", help=f"write `{text}`", fix=fix)

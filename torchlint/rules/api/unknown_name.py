"""A name that no version of torch has."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, Finding, rule
from torchlint.rules.api._names import missing


@rule("TL809", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("torch",))
def check(file: FileModel) -> Iterator[Finding]:
    for each in missing(file.analysis):
        allowed = file.torch(each.node)
        meant, others = each.meant(allowed), each.others(allowed)
        fix = None
        if meant is not None:
            last = meant.rpartition(".")[2]
            if isinstance(each.node, cst.Attribute):
                fix = rewrite.rename_attribute(each.node, last)
            else:
                fix = rewrite.rename_import(each.node, last)
        likely = [meant] if meant is not None else others
        yield Finding(
            each.node,
            f"no version of torch has `{each.path}`",
            help="did you mean " + " or ".join(f"`{other}`" for other in likely) + "?" if likely else None,
            fix=fix,
        )

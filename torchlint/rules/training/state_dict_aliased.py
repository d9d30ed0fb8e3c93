"""Weights that are kept by name and not by copy while training goes on."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.training._snapshots import snapshots


@rule("TL222", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("backward", "load_state_dict"))
def check(file: FileModel) -> Iterator[Finding]:
    for found in snapshots(file.analysis):
        is_state = isinstance(found.kept, cst.Call)
        name = file.source(found.statement.targets[0].target)
        subject = f"`{file.source(found.kept)}` shares the weights of the model" if is_state else f"`{name}` is the model itself"
        spelt = file.spelling("copy.deepcopy", found.statement)
        fix = rewrite.wrap(found.kept, f"{spelt or 'copy.deepcopy'}({{}})") + (Fix(()) if spelt else rewrite.add_import("copy"))
        yield Finding(
            found.kept,
            f"{subject}: {'loading it back restores nothing' if found.is_restored else 'it changes with every step, up to the last one'}",
            help="keep a copy: `copy.deepcopy(...)`",
            fix=fix.saying("keep a copy"),
            related=((found.use, "used here, when the weights have changed"),),
        )

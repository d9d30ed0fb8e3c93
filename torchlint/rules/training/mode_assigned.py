"""Train or eval mode set by an assignment, which reaches the module alone and none of its layers."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, rule
from torchlint.rules.training._mode_flags import flags


@rule("TL220", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=(".training", ".eval", ".train"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for found in flags(file.analysis):
        name, method = file.source(found.target.value), found.target.attr.value
        fix = rewrite.replace_statement(found.statement, f"{name}.{found.call}")
        yield Finding(
            found.target,
            f"this sets `training` of `{name}` alone: its layers stay in the mode they are in"
            if method == "training"
            else f"this puts a value in the place of the method `{method}`: the mode stays as it is",
            help=f"call `{name}.{found.call}`",
            fix=fix.saying(f"call `{found.call}`").at_most(SAFE if found.is_certain else UNSAFE),
        )

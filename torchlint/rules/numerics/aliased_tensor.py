"""A second name for a tensor where a copy was meant."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, rule
from torchlint.rules.numerics._aliases import aliases


@rule("TL608", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("torch",))
def check(file: FileModel) -> Iterator[Finding]:
    for alias in aliases(file.analysis, file.memory):
        if alias.is_compared:
            continue  # the code knows, and asks
        new, old = alias.new.value, file.source(alias.given)
        if alias.change is not None and alias.read is not None:
            message = f"`{new} = {old}` copies nothing: a change in place of one is a change of the other, which is read afterwards"
            related = [(alias.change, "changed in place here"), (alias.read, "read here")]
        elif alias.is_fresh and alias.stays_in_use:
            message = f"`{new} = {old}` copies nothing: `{new}` and `{old}` are two names of one tensor"
            related = []  # nothing goes wrong yet
        else:
            continue  # a rename, or nothing is changed in place
        fix = rewrite.method(alias.given, "clone").saying(f"copy `{old}`")
        yield Finding(
            alias.assign,
            message,
            help=f"write `{new} = {old}.clone()` for a tensor of its own",
            fix=fix if alias.is_certain else fix.at_most(UNSAFE),
            related=tuple(related),
            is_for_askers=not related and isinstance(file.function(alias.assign), cst.FunctionDef),
        )

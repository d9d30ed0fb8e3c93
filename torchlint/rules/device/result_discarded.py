"""A tensor that is moved or computed by a statement which throws the result away."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, Fix, rule
from torchlint.rules.device._discarded import Discarded, discarded


@rule("TL404", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("torch",))
def check(file: FileModel) -> Iterator[Finding]:
    for found in discarded(file.analysis, file.discarded()):
        name, done = file.source(found.tensor), f"`{found.method}` returns a new tensor"
        if found.is_move:
            done = f"`{found.method}` moves a module in place, but returns a new tensor of a tensor"
        yield Finding(
            found.call,
            f"{done}: `{name}` stays as it was, and the result is thrown away",
            help=f"write `{name} = {name}.{found.method}(...)`",
            fix=_fix(file, found),
        )


def _fix(file: FileModel, found: Discarded) -> Fix | None:
    if not isinstance(found.tensor, cst.Name) or found.value.roots:
        return None  # an attribute may be a parameter, which cannot be set to a tensor; or backward runs from what it was
    name = found.tensor
    uses = [each for each in file.references(name) if each is not name and file.is_after(each, found.call)]
    if not any(file.function(each) is file.function(name) for each in uses):
        return None  # the caller's tensor, which another name in this function does not change
    fix = rewrite.replace_statement(found.call, f"{name.value} = {file.source(found.call, whole=True)}").saying(
        f"assign it to `{name.value}`"
    )
    return fix if found.keeps_kind else fix.at_most(UNSAFE)

"""A keyword that what is called does not take in any version."""

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, rule
from torchlint.rules.api._arguments import Strange, keyword, strange

MOST = 6
"""Parameters that are listed where none was meant."""


@rule("TL810", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("torch",))
def check(file: FileModel) -> Iterator[Finding]:
    for each in strange(file.analysis):
        allowed = file.torch(each.call)
        renamed = each.renamed(allowed)
        if not renamed and len(each.unknown) > 1:
            yield _finding(each, each.unknown, [])  # one mistake, however many keywords it has
            continue
        for argument in each.unknown:
            name = renamed.get(argument)
            fix = rewrite.rename_keyword(argument, name) if name is not None else None
            if fix is not None and name == each.synonym(argument):
                fix = fix.at_most(UNSAFE)  # the word of another library, and what that means by it
            yield replace(_finding(each, (argument,), each.likely(argument, allowed)), fix=fix)


def _finding(found: Strange, arguments: tuple[cst.Arg, ...], likely: list[str]) -> Finding:
    words = ", ".join(f"`{keyword(each)}`" for each in arguments)
    if likely:
        help = "did you mean " + " or ".join(f"`{name}`" for name in likely) + "?"
    else:
        names = found.parameters
        help = "it takes " + (", ".join(f"`{name}`" for name in names[:MOST]) or "nothing") + (", and others" if len(names) > MOST else "")
    return Finding(arguments[0], f"`{found.path}` takes no argument {words}", help=help)

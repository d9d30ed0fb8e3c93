"""`next()` of what goes through a data loader, as Python 2 had it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.facts.declared import version_of
from torchlint.model.releases import supported
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import Finding
from torchlint.rules.api._guarded import is_guarded
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind

_GONE = "1.13"
_ANOTHER = re.compile(r"\bnext\s*=(?!=)|\bdef next\b|\bimport\b.*\bnext\b")
"""Where `next` may be something else than Python's."""


def old_next(file: FileAnalysis) -> Iterator[Finding]:
    """`iter(loader).next()` and `loader.__iter__().next()`, by way of names too."""
    for call in file.methods("next"):
        func = call.func
        if call.args or not isinstance(func, cst.Attribute) or not _goes_through_loader(file, func.value):
            continue
        if supported(file, call).newest < version_of(_GONE) or is_guarded(file, call):
            continue
        yield Finding(
            call,
            f"iterators of data loaders have no `next()` since torch {_GONE}: the call raises",
            help="use Python's own `next()`",
            fix=rewrite.replace(call, f"next({file.source(func.value)})") if not _ANOTHER.search(file.text) else None,
        )


def _goes_through_loader(file: FileAnalysis, node: Node) -> bool:
    made = file.value(node).node
    if not isinstance(made, cst.Call):
        return False
    func = made.func
    if isinstance(func, cst.Attribute):
        return func.attr.value == "__iter__" and not made.args and file.value(func.value).kind is Kind.LOADER
    if not isinstance(func, cst.Name) or func.value != "iter" or len(made.args) != 1 or file.names.bindings(func):
        return False
    return file.value(made.args[0].value).kind is Kind.LOADER

"""What a `torch.load` reads from, and what it yields."""

from __future__ import annotations

import re

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.values.value import Kind

_FETCHES = re.compile(r"download|fetch|retrieve|from_url|cached", re.IGNORECASE)
_BEGIN_EMPTY = frozenset({"io.BytesIO", "tempfile.TemporaryFile"})


def is_own(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether it reads from memory that began empty, so that this very program has filled it."""
    if not call.args:
        return False
    given = file.value(call.args[0].value)
    opened = given.sources[0] if given.node is None and len(given.sources) == 1 else given  # `with io.BytesIO() as buffer`
    return isinstance(opened.node, cst.Call) and not opened.node.args and file.qualname(opened.node.func) in _BEGIN_EMPTY


def is_written_here(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether the file writes such files as well, and does not say that it fetches this one."""
    if not any(True for _ in file.calls("torch.save")):
        return False
    made = file.value(call.args[0].value).lineage() if call.args else ()
    return not any(
        isinstance(each.node, cst.Call) and each.node in file.tree.order and _FETCHES.search(file.source(each.node.func)) for each in made
    )


def yields_module(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether the code uses what it gets as a module, which is pickled as a whole: `torch.load(path).to(device)(x)`."""
    made: cst.Call = call
    while file.value(made).kind is not Kind.MODULE:
        attribute = file.parent(made)
        outer = file.parent(attribute) if isinstance(attribute, cst.Attribute) else None
        if not isinstance(outer, cst.Call) or outer.func is not attribute:
            return False
        made = outer
    return True

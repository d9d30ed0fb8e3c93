"""What a `torch.load` reads from, and what it yields."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Kind

_FETCHES = re.compile(r"download|fetch|retrieve|from_url|cached", re.IGNORECASE)
_SAVES = re.compile(r"\b(?:torch|th)\.save\(")
_DEEP = 4
"""Names that lead from one to the next."""
_BEGIN_EMPTY = frozenset({"io.BytesIO", "tempfile.TemporaryFile"})


def is_own(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether it reads from memory that began empty, so that this very program has filled it."""
    if not call.args:
        return False
    given = file.value(call.args[0].value)
    opened = given.sources[0] if given.node is None and len(given.sources) == 1 else given  # `with io.BytesIO() as buffer`
    return isinstance(opened.node, cst.Call) and not opened.node.args and file.qualname(opened.node.func) in _BEGIN_EMPTY


def is_likely_own(file: FileAnalysis, call: cst.Call, *, is_chosen: bool) -> bool:
    """Whether the program writes such files as well, and does not say that it fetches this one.

    Where another file writes them, somebody may hand in one of a stranger; unless how it is read was chosen, or what is asked of it are
    entries that the other file writes.
    """
    if not call.args or _is_fetched(file, call.args[0].value):
        return False
    if any(True for _ in file.calls("torch.save")):
        return True
    path = call.args[0].value
    if not file.is_written_elsewhere(_SAVES):
        return False
    return is_chosen or _is_spelt_elsewhere(file, path) or _has_own_entries(file, call) or not _is_handed_in(file, path, _DEEP)


def _is_fetched(file: FileAnalysis, path: Node) -> bool:
    made = (each.node for each in file.value(path).lineage())
    return any(isinstance(node, cst.Call) and node in file.tree.order and _FETCHES.search(file.source(node.func)) for node in made)


def _is_spelt_elsewhere(file: FileAnalysis, path: Node) -> bool:
    """Whether another file knows it by the name that is spelt out here: `folder / "train.pt"`."""
    known = [each.rpartition("/")[2] for each in _texts(file, path, _DEEP)]
    return any("." in each and file.is_written_elsewhere(re.compile(re.escape(each))) for each in known)


def _has_own_entries(file: FileAnalysis, load: cst.Call) -> bool:
    """Whether all that is asked of what is read, `checkpoint["epoch"]`, are entries that a file of the run which saves knows as well.

    In a file that fetches anything, it may be what was fetched.
    """
    if any(_FETCHES.search(file.source(each.func)) for each in file.nodes(cst.Call)):
        return False
    keys = {key for each in file.nodes(cst.Subscript) if (key := _entry(each)) and _is_made_by(file, each.value, load)}
    return bool(keys) and all(file.is_written_elsewhere(_saving(key)) for key in keys)


def _entry(subscript: cst.Subscript) -> str | None:
    index = subscript.slice[0].slice if len(subscript.slice) == 1 else None
    key = literal(index.value) if isinstance(index, cst.Index) else None
    return key if isinstance(key, str) else None


def _is_made_by(file: FileAnalysis, node: Node, call: cst.Call) -> bool:
    return any(each.node is call for each in file.value(node).lineage())


def _saving(key: str) -> re.Pattern[str]:
    return re.compile(rf"\A(?=.*{_SAVES.pattern})(?=.*['\"]{re.escape(key)}['\"])", re.DOTALL)


def _texts(file: FileAnalysis, path: Node, deep: int) -> Iterator[str]:
    """The strings that a path is made of, there and behind its names."""
    for each in (path, *descendants(path)):
        text = literal(each) if isinstance(each, cst.SimpleString) else None
        if isinstance(text, str):
            yield text
        if deep and isinstance(each, cst.Name) and each in file.tree.order:
            for binding in file.names.bindings(each):
                if binding.value is not None and not isinstance(binding.value, cst.Call):
                    yield from _texts(file, binding.value, deep - 1)


def _is_handed_in(file: FileAnalysis, path: Node, deep: int) -> bool:
    """Whether a caller or the command line says which file it is."""
    for name in (path, *descendants(path)):
        if file.qualname(name) == "sys.argv":
            return True
        if not isinstance(name, cst.Name) or name not in file.tree.order:
            continue
        for binding in file.names.bindings(name):
            if binding.how is Binds.PARAMETER:
                if name.value not in ("self", "cls"):
                    return True
            elif binding.value is not None and deep and (_parses(binding.value) or _is_handed_in(file, binding.value, deep - 1)):
                return True
    return False


def _parses(made: Node) -> bool:
    func = made.func if isinstance(made, cst.Call) else None
    return isinstance(func, cst.Attribute) and func.attr.value in ("parse_args", "parse_known_args")


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

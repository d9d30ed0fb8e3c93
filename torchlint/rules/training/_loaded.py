"""What becomes of the result of `load_state_dict`: a report about keys, or None, and never what it loads into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Value

_REPORTS = frozenset("missing_keys unexpected_keys count index".split())
"""What there is on the pair of lists that is returned; what begins with an underscore is that of a named tuple."""
_RETURNED = {Kind.MODULE: "the names of missing and unexpected keys", Kind.OPTIMIZER: "None", Kind.SCHEDULER: "None", Kind.SCALER: "None"}


@dataclass
class Taken:
    """A call whose result is taken for what it loads into."""

    call: cst.Call
    loaded: Value
    use: Node
    """Where it is used so; the call itself where it takes the name of what it loads into."""
    statement: cst.Assign | None
    """The assignment of the result to that name."""

    @property
    def returned(self) -> str:
        return _RETURNED[self.loaded.kind]


def taken(file: FileAnalysis) -> Iterator[Taken]:
    for call in file.methods("load_state_dict"):
        if isinstance(call.func, cst.Attribute):
            loaded = file.value(call.func.value)
            use = _use(file, call, call.func.value) if loaded.kind in _RETURNED and not _is_own(loaded) else None
            if use is not None:
                above = file.parent(call)
                yield Taken(call, loaded, use, above if isinstance(above, cst.Assign) and use is call else None)


def _is_own(loaded: Value) -> bool:
    """Whether a class of the project says itself what is returned."""
    return loaded.cls is not None and loaded.cls.method("load_state_dict") is not None


def _use(file: FileAnalysis, call: cst.Call, loaded: Node) -> Node | None:
    above = file.parent(call)
    if isinstance(above, cst.Attribute):
        return None if _is_of_report(above) else call
    if not isinstance(above, cst.Assign) or len(above.targets) != 1:
        return None
    target = above.targets[0].target
    if file.source(target) == file.source(loaded):
        return call
    for each in file.references(target) if isinstance(target, cst.Name) else ():
        use = file.parent(each)
        if file.is_after(each, call) and file.value(each) is file.value(call):
            if isinstance(use, cst.Call) and use.func is each:
                return use
            if isinstance(use, cst.Attribute) and isinstance(file.parent(use), cst.Call) and not _is_of_report(use):
                return use
    return None


def _is_of_report(asked: cst.Attribute) -> bool:
    return asked.attr.value in _REPORTS or asked.attr.value.startswith("_")

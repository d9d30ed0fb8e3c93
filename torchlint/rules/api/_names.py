"""Names that torch does not have: where they are written, and which of its names were meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.absent import ABSENT, elsewhere, is_absent, near
from torchlint.facts.classes import MODULE
from torchlint.facts.names import canonical
from torchlint.facts.signatures import Signature, signatures
from torchlint.facts.versions import Range, nearest, presence, versions
from torchlint.model.naming import uses_of
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.api._guards import is_added, is_guarded
from torchlint.syntax.tree import Node
from torchlint.values.binding import bind
from torchlint.values.value import Kind, Value

_FOREIGN_METHODS = frozenset("save load fit predict evaluate summary compile_model save_weights load_weights save_pretrained".split())
"""What models of other libraries do by themselves."""

_SCRIPTED = frozenset({"torch.jit.script", "torch.jit.trace"})
"""What makes modules that save themselves."""

_ARRAYS = frozenset("astype tofile tobytes ptp compress itemset".split())
"""What arrays of NumPy do, and tensors do not."""

_PYTHONS = frozenset(name for kind in (str, bytes, list, dict, set, tuple) for name in dir(kind))
"""What text and containers do: whatever is asked for that is hardly a tensor, even if it looked like one."""


@dataclass(frozen=True)
class Missing:
    """One place that asks torch for a name that it does not have."""

    node: cst.Attribute | cst.ImportAlias
    path: str
    """What is asked for: `torch.nn.Modulelist`, `torch.Tensor.rand`."""
    call: cst.Call | None
    """The call of it, where it is called on the spot."""

    def meant(self, allowed: Range) -> str | None:
        """The one name that this is another spelling of, if a call of it could be meant so; None where several could be."""
        found = near(self.path, allowed)
        if len(found) != 1 or elsewhere(self.path):
            return None
        return found[0] if self.call is None or _takes(self.call, signatures(found[0])) else None

    def others(self, allowed: Range) -> list[str]:
        """Names that may have been meant, the likeliest first."""
        last = nearest(self.path)
        return list(dict.fromkeys([*near(self.path, allowed), *elsewhere(self.path), *([last] if last is not None else [])]))[:3]


def missing(file: FileAnalysis) -> Iterator[Missing]:
    for each in (*_imported(file), *_reached(file), *_of_values(file)):
        if not is_added(file, each.path) and not is_guarded(file, each.node):
            yield each


def _imported(file: FileAnalysis) -> Iterator[Missing]:
    """`from torch.nn import Modulelist`"""
    for statement in file.nodes(cst.ImportFrom):
        if statement.module is None or statement.relative or isinstance(statement.names, cst.ImportStar):
            continue
        base = _dotted(statement.module)
        for alias in statement.names if base.partition(".")[0] == "torch" else ():
            path = canonical(f"{base}.{_dotted(alias.name)}")
            if is_absent(path):
                yield Missing(alias, path, None)


def _reached(file: FileAnalysis) -> Iterator[Missing]:
    """`nn.Modulelist([])`, through whichever import."""
    for node, path in uses_of(file, ABSENT):
        if isinstance(node, cst.Attribute) and not _is_merged(file, node, path):
            yield Missing(node, path, _call(file, node))


def _is_merged(file: FileAnalysis, node: cst.Attribute, path: str) -> bool:
    """`torch.nn.loss.MSELoss`: the first versions of `torch.nn` took over the modules of `torch.nn.modules` too."""
    above = file.parent(node)
    if not path.startswith("torch.nn.") or not isinstance(above, cst.Attribute):
        return False
    return presence(f"torch.nn.modules.{path.removeprefix('torch.nn.')}.{above.attr.value}") is not None


def _of_values(file: FileAnalysis) -> Iterator[Missing]:
    """`x.rand(3)` of a tensor, `model.save(path)` of a module."""
    for name, nodes in file.tree.attributes.items():
        path = f"torch.Tensor.{name}"
        if name in _PYTHONS or not is_absent(path):
            continue
        for node in nodes:
            call = _call(file, node)
            if call is not None and file.qualname(node) is None and _is_meant(file.value(node.value), path, name):
                yield Missing(node, path, call)
    for name in sorted(_FOREIGN_METHODS & file.tree.attributes.keys()):
        for node in file.tree.attributes[name]:
            call = _call(file, node)
            if call is not None and file.qualname(node) is None and _lacks(file, file.value(node.value), name):
                yield Missing(node, f"{MODULE}.{name}", call)


def _is_meant(value: Value, path: str, name: str) -> bool:
    """Whether a tensor is asked for something that can be meant for something else.

    Of a class of tensors, many of which are private, it may be a method: such a name counts where torch has made the tensor. What is
    computed from something unknown may be an array.
    """
    if value.kind is not Kind.TENSOR:
        return False
    if near(path, Range(versions()[-1], versions()[-1])):
        return True
    if name in _ARRAYS:
        return all(each.kind in (Kind.TENSOR, Kind.NUMBER) for each in value.lineage())
    return value.fresh and bool(elsewhere(path))


def _lacks(file: FileAnalysis, value: Value, name: str) -> bool:
    """Whether a value is a module of torch, or of a class all of whose bases are in sight, without such a method."""
    if value.kind is not Kind.MODULE or presence(f"{value.qualname}.{name}") is not None:
        return False
    if any(isinstance(each.node, cst.Call) and file.qualname(each.node.func) in _SCRIPTED for each in value.lineage()):
        return False
    made = value.cls
    if made is None:
        return value.qualname is not None and value.qualname.startswith("torch.nn.") and not value.is_joined
    dynamic = any(made.method(each) is not None for each in ("__getattr__", "__getattribute__"))
    return not made.is_open and not dynamic and made.method(name) is None and not made.assigns(name)


def _call(file: FileAnalysis, node: Node) -> cst.Call | None:
    around = file.parent(node)
    return around if isinstance(around, cst.Call) and around.func is node else None


def _takes(call: cst.Call, known: tuple[Signature, ...]) -> bool:
    return any(bind(call, each.parameters).fits for each in known)


def _dotted(node: Node) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""

"""Code that knows that a name may be missing: it asks for the version, or whether the name is there, or has another way if it is not."""

from __future__ import annotations

import re

import libcst as cst

from torchlint.facts.names import canonical
from torchlint.facts.versions import presence
from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants

_OF_IMPORTS = frozenset(("ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException"))
_OF_CALLS = frozenset(("ImportError", "ModuleNotFoundError", "AttributeError"))
_VERSION = re.compile(r"version|torch_?(?:v|ge|gt|lt|le|is_)?_?\d|at_least|greater|newer|older", re.IGNORECASE)


def is_guarded(file: FileAnalysis, node: Node) -> bool:
    """Whether what stands there runs only in some versions of torch, or something else is done where it fails."""
    caught = _OF_IMPORTS if isinstance(file.statement(node), cst.SimpleStatementLine) and _is_import(file, node) else _OF_CALLS
    for each in file.ancestors(node):
        if isinstance(each, cst.Try) and any(_catches(handler, caught) for handler in each.handlers):
            return True
    return any(_asks(file, each.test) for each in when(file, node) if isinstance(each.test, cst.BaseExpression))


def is_fallback(file: FileAnalysis, node: Node, instead: str) -> bool:
    """Whether a place is reached where what takes its place was tried and has failed, with whatever exception."""
    handlers = (each for each in file.ancestors(node) if isinstance(each, cst.ExceptHandler))
    bodies = (tried.body for each in handlers if isinstance(tried := file.parent(each), cst.Try))
    return any(canonical(file.qualname(each.func) or "") == canonical(instead) for body in bodies for each in file.inside(body, cst.Call))


def _is_import(file: FileAnalysis, node: Node) -> bool:
    return isinstance(node, (cst.Import, cst.ImportFrom)) or any(
        isinstance(each, (cst.Import, cst.ImportFrom)) for each in file.ancestors(node)
    )


def _catches(handler: cst.ExceptHandler, names: frozenset[str]) -> bool:
    if handler.type is None:
        return "Exception" in names
    kinds = handler.type.elements if isinstance(handler.type, cst.Tuple) else (handler.type,)
    return any(isinstance(part, cst.Name) and part.value in names for kind in kinds for part in descendants(kind))


def _asks(file: FileAnalysis, test: Node) -> bool:
    """`hasattr(torch, "outer")`, `torch.__version__ >= "2.4"`, `IS_TORCH_2`, `version.parse(...) < ...`."""
    parts = list(descendants(test))
    if any(isinstance(part, cst.Call) and _asks_for_name(file, part) for part in parts):
        return True
    return any(isinstance(part, cst.Name) and _VERSION.search(part.value) for part in parts)


def _asks_for_name(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether `hasattr` asks what torch has: its modules, or a tensor for a method. `hasattr(layer, "weight")` asks for a kind of layer."""
    if not isinstance(call.func, cst.Name) or call.func.value != "hasattr" or len(call.args) != 2:
        return False
    name = literal(call.args[1].value)
    return file.qualname(call.args[0].value) is not None or not isinstance(name, str) or presence(f"torch.Tensor.{name}") is not None

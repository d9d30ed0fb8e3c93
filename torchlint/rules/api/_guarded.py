"""Code that knows that a name may be missing: it asks for the version, or whether the name is there, or has another way if it is not."""

from __future__ import annotations

import re

import libcst as cst

from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
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
    return any(_asks(each.test) for each in when(file, node) if isinstance(each.test, cst.BaseExpression))


def _is_import(file: FileAnalysis, node: Node) -> bool:
    return isinstance(node, (cst.Import, cst.ImportFrom)) or any(
        isinstance(each, (cst.Import, cst.ImportFrom)) for each in file.ancestors(node)
    )


def _catches(handler: cst.ExceptHandler, names: frozenset[str]) -> bool:
    if handler.type is None:
        return "Exception" in names
    kinds = handler.type.elements if isinstance(handler.type, cst.Tuple) else (handler.type,)
    return any(isinstance(part, cst.Name) and part.value in names for kind in kinds for part in descendants(kind))


def _asks(test: Node) -> bool:
    """`hasattr(torch, "outer")`, `torch.__version__ >= "2.4"`, `IS_TORCH_2`, `version.parse(...) < ...`."""
    names = [part.value for part in descendants(test) if isinstance(part, cst.Name)]
    return "hasattr" in names or any(_VERSION.search(name) for name in names)

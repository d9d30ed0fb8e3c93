"""Code that is there for an old torch, under a question about its version."""

from __future__ import annotations

import libcst as cst

from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node, descendants


def is_for_some_versions(file: FileAnalysis, node: Node) -> bool:
    """`if torch.__version__ < "0.4":`, `if int(version[0]) == 0:`, `else:` of either."""
    return any(
        _names_version(part) for each in when(file, node) if isinstance(each.test, cst.BaseExpression) for part in descendants(each.test)
    )


def _names_version(node: Node) -> bool:
    name = node.attr if isinstance(node, cst.Attribute) else node
    return isinstance(name, cst.Name) and "version" in name.value.lower()

"""Where a file speaks of imported names: each use once, as its longest spelling."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node, descendants


def uses_of(file: FileAnalysis, names: Container[str]) -> Iterator[tuple[cst.Name | cst.Attribute, str]]:
    """The expressions that stand for one of these dotted names, in document order, with the name; imports themselves are left out."""
    known, order = file.once(_by_path), file.tree.order
    if isinstance(names, Collection) and len(names) <= len(known):
        paths = [path for path in names if path in known]
    else:  # they are many, or can only be asked for
        paths = [path for path in known if path in names]
    found = [(node, path) for path in paths for node in known[path]]
    yield from sorted(found, key=lambda use: order[use[0]])


def _by_path(file: FileAnalysis) -> dict[str, list[cst.Name | cst.Attribute]]:
    """Every expression that stands for something imported, by its dotted name."""
    tree = file.tree
    statements: list[Node] = [*tree.nodes(cst.Import), *tree.nodes(cst.ImportFrom)]
    imports = {part for statement in statements for part in descendants(statement)}
    candidates: list[cst.Name | cst.Attribute] = [each for nodes in tree.attributes.values() for each in nodes]
    for name, nodes in tree.names.items():
        if any(binding.path is not None for binding in file.names.module.bindings.get(name, ())):
            candidates += nodes
    found: dict[str, list[cst.Name | cst.Attribute]] = {}
    for node in candidates:
        path = file.qualname(node)
        if path is not None and node not in imports:
            found.setdefault(path, []).append(node)
    return found

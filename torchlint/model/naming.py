"""Where a file speaks of imported names: each use once, as its longest spelling."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis


def uses_of(file: FileAnalysis, names: Collection[str]) -> Iterator[tuple[cst.Name | cst.Attribute, str]]:
    """The expressions that stand for one of these dotted names, in document order, with the name; imports themselves are left out."""
    last = {name.rpartition(".")[2] for name in names}
    candidates: list[cst.Name | cst.Attribute] = [each for part in last for each in file.tree.attributes.get(part, ())]
    for name, nodes in file.tree.names.items():
        if any(binding.path is not None for binding in file.names.module.bindings.get(name, ())):
            candidates += nodes
    for node in sorted(candidates, key=file.tree.order.__getitem__):
        path = file.qualname(node)
        if path is not None and path in names and not any(isinstance(each, (cst.Import, cst.ImportFrom)) for each in file.ancestors(node)):
            yield node, path

"""How a place in a file would write a dotted name, with the imports that are in reach there."""

from __future__ import annotations

from torchlint.facts.names import canonical
from torchlint.syntax.file import SourceFile
from torchlint.syntax.names import Binding, Binds, Scope
from torchlint.syntax.tree import Node


def spelling(file: SourceFile, path: str, place: Node) -> str | None:
    """`torch.nn.ModuleList` as `nn.ModuleList`, `torch.nn.ModuleList` or whatever the imports allow; the shortest. None without one."""
    scope = file.names.scope(place)
    found: list[str] = []
    current: Scope | None = scope
    while current is not None:
        for name in current.imports:
            reached = _imported(current.bindings[name])
            if reached is None or scope.lookup(name) is not current:
                continue
            if reached == path:
                found.append(name)
            elif path.startswith(reached + "."):
                found.append(name + path[len(reached) :])
        current = current.parent
    return min(found, key=lambda each: (each.count("."), len(each)), default=None)


def _imported(bindings: list[Binding]) -> str | None:
    """What a name stands for, if all it is ever bound to is one import."""
    paths = {canonical(each.path) if each.how is Binds.IMPORT and each.path is not None else None for each in bindings}
    return paths.pop() if len(paths) == 1 else None

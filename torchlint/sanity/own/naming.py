"""Names for parameters that two runs of a program agree on: by the module that is called, and by shape where none knows them.

Positions in an optimizer would not do: a fix that registers a layer moves all that come after it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from weakref import ref

from torch.utils.weak import WeakIdKeyDictionary


class Names:
    def __init__(self) -> None:
        self._names = WeakIdKeyDictionary()
        self._roots: list[tuple[str, ref[Any]]] = []
        self._known = WeakIdKeyDictionary()
        self._counts: Counter[str] = Counter()

    def root(self, module: Any) -> None:
        """A module that the program calls itself."""
        if module in self._known:
            return
        self._known[module] = True
        self._roots.append((self._numbered(type(module).__name__), ref(module)))

    def of(self, tensor: Any) -> str:
        found = self._names.get(tensor)
        if found is None:
            for name, module in self._roots:
                root = module()
                for path, parameter in root.named_parameters() if root is not None else ():
                    self._names.setdefault(parameter, f"{name}.{path}")
            found = self._names.get(tensor)
        if found is None:
            found = self._names[tensor] = self._numbered(f"tensor {list(tensor.shape)}")
        return str(found)

    def _numbered(self, name: str) -> str:
        self._counts[name] += 1
        return name if self._counts[name] == 1 else f"{name} ({self._counts[name]})"

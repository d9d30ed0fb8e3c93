"""Where an import leads: the file that a module's name stands for, seen from the folder of the file that imports it."""

from __future__ import annotations

import os
from collections.abc import Sequence


class ImportSearch:
    """Below some folders, and beside them. What it found it finds again: it lives no longer than what is asked of it should."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = roots
        self._places: dict[tuple[str, str], str | None] = {}
        self._names: dict[str, frozenset[str]] = {}

    def file(self, folder: str, module: str) -> str | None:
        """The file of a module: `package.module`, or `.module` with a dot for the folder itself and one more for each folder above."""
        key = folder, module
        if key not in self._places:
            self._places[key] = self._search(folder, module)
        return self._places[key]

    def _search(self, folder: str, module: str) -> str | None:
        name = module.lstrip(".")
        dots = len(module) - len(name)
        parts = [part for part in name.split(".") if part]
        if dots:
            for _ in range(dots - 1):
                folder = os.path.dirname(folder)
            return self._existing(folder, parts)
        while self._is_within(folder):
            found = self._existing(folder, parts)
            if found is not None:
                return found
            above = os.path.dirname(folder)
            if above == folder:
                break
            folder = above
        return None

    def _is_within(self, folder: str) -> bool:
        """Whether imports may be looked for in this folder: in a checked root, or where a root itself is imported from."""
        return any(folder == root or folder.startswith(root + os.sep) or os.path.dirname(root) == folder for root in self._roots)

    def _existing(self, folder: str, parts: list[str]) -> str | None:
        if parts and self._listed(folder).isdisjoint((parts[0], parts[0] + ".py")):
            return None
        base = os.path.join(folder, *parts)
        for candidate in (base + ".py", os.path.join(base, "__init__.py")):
            if os.path.isfile(candidate):
                return candidate
        return None

    def _listed(self, folder: str) -> frozenset[str]:
        """The names in a folder: most imports lead out of the project, and one look tells that of all of them."""
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(os.listdir(folder))
            except OSError:
                self._names[folder] = frozenset()
        return self._names[folder]

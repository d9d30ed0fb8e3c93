"""The other files of one run: where an import leads, so that helpers there are followed as if they stood here.

A file is parsed when something in it is first asked for, and a few are kept; nothing is ever imported or executed.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from torchlint.model import FileModel

_KEPT = 24
_LARGEST = 400_000
"""Characters; larger files are generated ones, and no helper is looked for in them."""
_LIBRARIES = frozenset(
    """torch torchvision torchaudio numpy scipy pandas sklearn matplotlib transformers accelerate lightning pytorch_lightning os sys math time random
    collections functools itertools typing json re logging pathlib copy argparse dataclasses abc tqdm wandb PIL cv2 yaml datasets timm gym gymnasium
    tensorflow jax""".split()
)


class Project:
    """The folders that one run checks."""

    def __init__(self, roots: Sequence[Path] = ()) -> None:
        self._roots = [os.path.abspath(root) for root in roots]
        self._models: OrderedDict[str, FileModel | None] = OrderedDict()
        self._places: dict[tuple[str, str], str | None] = {}

    def resolve(self, importer: str, path: str) -> tuple[FileModel, str] | None:
        """The file and the name in it that a dotted path leads to, as imported by the file `importer`."""
        module, _, name = path.rpartition(".")
        head = path.partition(".")[0]
        if not module or not name or head in _LIBRARIES or not os.path.isabs(importer) and not os.path.exists(importer):
            return None
        found = self._file(os.path.abspath(importer), module or "." * (len(path) - len(path.lstrip("."))))
        model = self._model(found) if found is not None else None
        return (model, name) if model is not None else None

    def _file(self, importer: str, module: str) -> str | None:
        folder = os.path.dirname(importer)
        key = (folder, module)
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
        base = os.path.join(folder, *parts)
        for candidate in (base + ".py", os.path.join(base, "__init__.py")):
            if os.path.isfile(candidate):
                return candidate
        return None

    def _model(self, path: str) -> FileModel | None:
        from torchlint.model import FileModel

        if path in self._models:
            self._models.move_to_end(path)
            return self._models[path]
        model: FileModel | None = None
        try:
            text = Path(path).read_text(encoding="utf-8")
            if len(text) <= _LARGEST:
                model = FileModel(text, path=path, project=self)
        except (OSError, UnicodeDecodeError, cst.ParserSyntaxError, RecursionError):
            model = None  # its own check reports what is wrong with it
        self._models[path] = model
        while len(self._models) > _KEPT:
            self._models.popitem(last=False)
        return model

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

from torchlint.model.outline import Outline
from torchlint.model.parsing import Unreadable

if TYPE_CHECKING:
    from torchlint.model import FileModel
    from torchlint.model.kinds import Value

_HOPS = 6
_KEPT = 1_000_000
"""Characters of text whose models are kept; one takes some fifty times its text in memory."""
_LARGEST = 300_000
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
        self._size = 0
        self._outlines: dict[str, Outline | None] = {}
        self._places: dict[tuple[str, str], str | None] = {}

    def definition(self, importer: str, path: str, node: cst.CSTNode) -> Value | None:
        """What a dotted path, imported by the file `importer`, stands for where a file of the project defines it."""
        found = self._locate(importer, path)
        model = self._model(found[0]) if found is not None else None
        return model.exported(found[1], node) if model is not None and found is not None else None

    def mentions(self, importer: str, path: str, word: str) -> bool:
        """Whether the file that an imported name is defined in holds this word."""
        found = self._locate(importer, path)
        outline = self._outline(found[0]) if found is not None else None
        return outline is not None and word in outline.text

    def _locate(self, importer: str, path: str) -> tuple[str, str] | None:
        """The file that defines what a dotted path leads to, through imports from file to file, and its name there."""
        for _ in range(_HOPS):
            module, _, name = path.rpartition(".")
            if not module or not name or path.partition(".")[0] in _LIBRARIES or not os.path.exists(importer):
                return None
            file = self._file(os.path.abspath(importer), module)
            outline = self._outline(file) if file is not None else None
            if file is None or outline is None:
                return None
            if outline.defines(name):
                return file, name
            onward = outline.leads_to(name)
            if onward is None:
                return None
            importer, path = file, onward
        return None

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

    def remembered(self, path: str, text: str) -> FileModel | None:
        """The model of a file that another file has already asked for, if it was made from this text."""
        model = self._models.get(os.path.abspath(path))
        return model if model is not None and model.text == text else None

    def remember(self, path: str, model: FileModel | None) -> None:
        """Keep a model for the files that import it; the oldest are forgotten."""
        path = os.path.abspath(path)
        previous = self._models.pop(path, None)
        self._size += (len(model.text) if model is not None else 0) - (len(previous.text) if previous is not None else 0)
        self._models[path] = model
        while self._size > _KEPT and len(self._models) > 1:
            _, oldest = self._models.popitem(last=False)
            if oldest is not None:
                self._size -= len(oldest.text)
                oldest.release()

    def _outline(self, path: str) -> Outline | None:
        if path not in self._outlines:
            try:
                text = Path(path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                text = ""  # its own check reports what is wrong with it
            self._outlines[path] = Outline(text) if 0 < len(text) <= _LARGEST else None
        return self._outlines[path]

    def _model(self, path: str) -> FileModel | None:
        from torchlint.model import FileModel

        if path in self._models:
            self._models.move_to_end(path)
            return self._models[path]
        outline = self._outline(path)
        model: FileModel | None = None
        try:
            model = FileModel(outline.text, path=path, project=self) if outline is not None else None
        except Unreadable:
            model = None  # its own check reports what is wrong with it
        self.remember(path, model)
        return model

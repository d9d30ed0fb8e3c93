"""The other files of one run: where an import leads, so that helpers there are followed as if they stood here.

A file is parsed when something in it is first asked for, and a few are kept; nothing is ever imported or executed.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.grounds import Answer, Consulted, Grounds, Question
from torchlint.program.neighbours import Neighbours
from torchlint.program.outline import Outline, joined, read
from torchlint.program.searching import ImportSearch
from torchlint.syntax import returning
from torchlint.syntax.parsing import Parsed, Unreadable
from torchlint.values.value import Value

_HOPS = 6
_KEPT = 8_000_000
"""Characters of text whose trees are kept; a tree takes more than a hundred times its text in memory."""
_SPARE = 500_000
"""Characters of those among them that were checked, and that no other file has asked for so far. Most are never asked for."""
_VIEWS = 48
"""Imported files whose models are kept."""
_SIGHT = 2
"""How many imports away a helper may be from the file that is checked."""
_CALLERS = 6
"""Files that call a function; one that more of them call is everybody's, and whom it serves is not looked up."""
_LARGEST = 300_000
"""Characters; larger files are generated ones, and no helper is looked for in them."""
_LIBRARIES = frozenset(
    """torch torchvision torchaudio numpy scipy pandas sklearn matplotlib transformers accelerate lightning pytorch_lightning
    os sys math time random collections functools itertools typing json re logging pathlib copy argparse dataclasses abc
    tqdm wandb PIL cv2 yaml datasets timm gym gymnasium tensorflow jax""".split()
)


class Project:
    """The folders that one run checks."""

    def __init__(self, roots: Sequence[Path] = (), *, files: Files | None = None, distance: int = 1) -> None:
        self._roots = [os.path.abspath(root) for root in roots]
        self._files = files or Files()
        self._search = ImportSearch(self._roots)
        self._distance = distance
        self._located: dict[tuple[str, str, int], tuple[str, str] | None] = {}
        self._origins: dict[tuple[str, str, int], str | None] = {}
        """What was found before: modules that import everything of each other lead to the same names on many ways."""
        self._homes: dict[str, str | None] = {}
        """The absolute paths of files that import something; None for what is no file."""
        self._views: OrderedDict[str, FileAnalysis | None] = OrderedDict()

    @cached_property
    def _further(self) -> Project | None:
        """What the imported files see of the project. Sight ends somewhere: following everything would read all of it for each file."""
        return (
            Project([Path(root) for root in self._roots], files=self._files, distance=self._distance + 1)
            if self._distance < _SIGHT
            else None
        )

    def definition(self, importer: str, path: str, node: cst.CSTNode) -> Value | None:
        """What a dotted path, imported by the file `importer`, stands for where a file of the project defines it."""
        found = self._locate(importer, path)
        view = self._view(found[0]) if found is not None else None
        return view.exported(found[1], node) if view is not None and found is not None else None

    def origin(self, importer: str, path: str, hops: int = _HOPS) -> str | None:
        """The dotted path of what a module of the project offers under this one, followed into a library; None where nothing does."""
        key = importer, path, hops
        if key not in self._origins:
            self._origins[key] = self._origin(importer, path, hops)
        return self._origins[key]

    def _origin(self, importer: str, path: str, hops: int) -> str | None:
        module, _, name = path.rpartition(".")
        if path.partition(".")[0] in _LIBRARIES:
            return path
        file = self._file(importer, module) if hops and module else None
        outline = self._files.outline(file) if file is not None else None
        if file is None or outline is None:
            return None
        if outline.defines(name):
            return path
        origins = (self.origin(file, each, hops - 1) for each in outline.leads_to(name))
        found = next((each for each in origins if each is not None), None)
        return found if found is None or found.partition(".")[0] in _LIBRARIES else path

    def offers(self, importer: str, module: str) -> bool:
        """Whether a module, imported by the file `importer`, is a file of the project."""
        return self._file(importer, module) is not None

    def trains(self, importer: str, path: str) -> bool:
        """Whether an imported function or class runs backward itself."""
        found = self._locate(importer, path)
        outline = self._files.outline(found[0]) if found is not None else None
        return outline is not None and found is not None and outline.trains(found[1])

    def names_elsewhere(self, path: str, word: str) -> bool:
        """Whether a file of the run other than this one uses a word."""
        return bool(self._asked(path, ("name", word)))

    def writes_elsewhere(self, path: str, pattern: re.Pattern[str]) -> bool:
        """Whether something of this form stands in the text of a file of the run other than this one."""
        return bool(self._asked(path, ("write", pattern.pattern, pattern.flags)))

    def found_elsewhere(self, path: str, pattern: re.Pattern[str]) -> tuple[tuple[str, int], ...] | None:
        """The files of the run other than this one in which something of this form stands, with its first line; None: too many to look."""
        found = self._asked(path, ("find", pattern.pattern, pattern.flags))
        return found if isinstance(found, tuple) else None

    def callers(self, path: str, name: str) -> Iterator[FileAnalysis] | None:
        """The other files of the run that may call what is defined in this one under a name; None where too many do."""
        place = Path(path)
        module = place.parent.name if place.stem == "__init__" else place.stem
        named = re.compile(rf"\A(?=.*\b{re.escape(module)}\b)(?=.*(?<!\bdef )\b{re.escape(name)}[ \t]*\()", re.DOTALL)
        found = self.found_elsewhere(path, named)
        return self._read(path, [each for each, _ in found]) if found is not None and len(found) <= _CALLERS else None

    def _read(self, path: str, others: list[str]) -> Iterator[FileAnalysis]:
        for each in others:
            self._files.consulted.note_reading(os.path.abspath(path), each)
            view = self._view(each)
            if view is not None:
                yield view

    def reaches_elsewhere(self, path: str, attribute: str, of: str) -> bool:
        """Whether a file of the run other than this one may ask an instance of the class `of` for this attribute."""
        return bool(self._asked(path, ("reach", attribute, of)))

    def _asked(self, path: str, question: Question) -> Answer:
        own = os.path.abspath(path)
        answer = self._neighbours.answer(question, own)
        self._files.consulted.note_answer(own, question, answer)
        return answer

    @cached_property
    def _neighbours(self) -> Neighbours:
        neighbours = Neighbours(self._roots)
        self._files.consulted.around = neighbours.digest
        return neighbours

    def _locate(self, importer: str, path: str, hops: int = _HOPS) -> tuple[str, str] | None:
        """The file that defines what a dotted path leads to, through imports from file to file, and its name there."""
        key = importer, path, hops
        if key not in self._located:
            self._located[key] = self._find(importer, path, hops)
        return self._located[key]

    def _find(self, importer: str, path: str, hops: int) -> tuple[str, str] | None:
        module, _, name = path.rpartition(".")
        if not hops or not module or not name or path.partition(".")[0] in _LIBRARIES:
            return None
        file = self._file(importer, module)
        outline = self._files.outline(file) if file is not None else None
        if file is not None and outline is not None:
            return (file, name) if outline.defines(name) else self._locate_any(file, outline.leads_to(name), hops)
        package, _, part = module.rpartition(".")  # what looks like a module may be a name that its package gives to another one
        file = self._file(importer, package) if package and part else None
        outline = self._files.outline(file) if file is not None else None
        if file is None or outline is None:
            return None
        return self._locate_any(file, [joined(each, name) for each in outline.leads_to(part)], hops)

    def _locate_any(self, importer: str, paths: list[str], hops: int) -> tuple[str, str] | None:
        found = (self._locate(importer, each, hops - 1) for each in paths)
        return next((each for each in found if each is not None), None)

    def _file(self, importer: str, module: str) -> str | None:
        if importer not in self._homes:
            self._homes[importer] = os.path.abspath(importer) if os.path.exists(importer) else None
        home = self._homes[importer]
        if home is None:
            return None
        found = self._search.file(os.path.dirname(home), module)
        self._files.consulted.note_import(home, module, found)
        return found

    def grounds(self, path: str) -> Grounds:
        """What was asked so far for a file that was checked, and for those that it led to."""
        return self._files.consulted.grounds(os.path.abspath(path))

    def parsed(self, path: str, text: str) -> Parsed:
        """The tree of a file that is checked; parsed before, if another file has already asked for it. Raises `Unreadable`."""
        return self._files.parsed(os.path.abspath(path), text, is_checked=True)

    def _view(self, path: str) -> FileAnalysis | None:
        """The model of an imported file, as far as it can be seen from here."""
        if path not in self._views:
            outline = self._files.outline(path)
            try:
                parsed = self._files.parsed(path, outline.text) if outline is not None else None
            except Unreadable:
                parsed = None  # its own check reports what is wrong with it
            self._views[path] = FileAnalysis(parsed.text, path=path, imports=self._further, parsed=parsed) if parsed is not None else None
            while len(self._views) > _VIEWS:
                _, oldest = self._views.popitem(last=False)
                if oldest is not None:
                    oldest.forget()
        self._views.move_to_end(path)
        return self._views[path]


class Files:
    """What has been read of the project's files: outlines of those that are imported, trees of those that matter."""

    def __init__(self) -> None:
        self._outlines: dict[str, Outline | None] = {}
        self._trees: OrderedDict[str, Parsed] = OrderedDict()
        self._spare: OrderedDict[str, Parsed] = OrderedDict()
        """Of files that were checked, and that nobody has imported yet."""
        self._imported: set[str] = set()
        self.consulted = Consulted()

    def outline(self, path: str) -> Outline | None:
        if path not in self._outlines:
            text, self.consulted.texts[path] = read(path)
            self._outlines[path] = Outline(text) if 0 < len(text) <= _LARGEST else None
        return self._outlines[path]

    def parsed(self, path: str, text: str, *, is_checked: bool = False) -> Parsed:
        """The tree of a file, kept for whoever asks next; of those that do not fit, the oldest go."""
        known = self._pop(path)
        parsed = known if known is not None and known.text == text else _parse(text)
        if not is_checked:
            self._imported.add(path)
        trees = self._trees if path in self._imported else self._spare
        trees[path] = parsed
        self._drop(self._spare, _SPARE)
        self._drop(self._trees, _KEPT)
        return parsed

    def _pop(self, path: str) -> Parsed | None:
        return self._trees.pop(path, None) or self._spare.pop(path, None)

    def _drop(self, trees: OrderedDict[str, Parsed], most: int) -> None:
        """The oldest, until the others fit."""
        size = sum(len(each.text) for each in trees.values())
        while size > most and len(trees) > 1:
            size -= len(trees.popitem(last=False)[1].text)


def _parse(text: str) -> Parsed:
    parsed = Parsed(text)
    if len(text) > returning.LONG:
        returning.give_back()
    return parsed

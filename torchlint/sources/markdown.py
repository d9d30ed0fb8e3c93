"""The blocks of Python in a Markdown document, each a text of its own, and the document with other code in them."""

from __future__ import annotations

import ast
import codecs
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torchlint.diagnostic import Diagnostic, Location, Related
from torchlint.edits import Edit, ResolvedFix
from torchlint.sources.reading import Undecodable

_FENCE = re.compile(r"(?P<blanks>[ \t]*)(?P<fence>`{3,}(?=[^`\r\n]*$)|~{3,})[ \t]*(?P<info>[^\r\n]*)", re.MULTILINE)
_ROW = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_PYTHON = frozenset("python py python3".split())
_ASSUMED = frozenset("torch nn F optim".split())
"""Names that every reader knows."""


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences."""

    row: int
    """The row of the document that the first of its rows is."""
    start: int
    """Where that begins."""
    blanks: str
    """What the fence is indented by, as in a list."""
    rows: tuple[str, ...]
    """Each with its line end, as they stand in the document."""

    @property
    def end(self) -> int:
        return self.start + sum(map(len, self.rows))

    @property
    def code(self) -> str:
        return "".join(row[self._indent(row) :] for row in self.rows)

    @property
    def is_fragment(self) -> bool:
        """Whether it is no program that can be judged: no Python, or with names of torch that an earlier block has imported."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                nodes = list(ast.walk(ast.parse(self.code)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return True
        imports = (alias for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names)
        bound = {(alias.asname or alias.name).partition(".")[0] for alias in imports}
        used = {node.id for node in nodes if isinstance(node, ast.Name)}
        return "*" not in bound and not used & _ASSUMED <= bound

    def with_code(self, code: str) -> str:
        """The rows with other code. Those that stay the same stay as they are."""
        from difflib import SequenceMatcher  # a run that fixes nothing does without

        old, new = [row[self._indent(row) :] for row in self.rows], _ROW.findall(code)
        rows: list[str] = []
        for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            rows += self.rows[a:b] if kind == "equal" else [self.blanks + row if row.strip() else row for row in new[c:d]]
        return "".join(rows)

    def moved(self, found: Diagnostic) -> Diagnostic:
        """A finding in the code as one in the document."""
        return replace(
            found,
            location=self.location(found.location),
            end_location=self.location(found.end_location),
            rows=tuple(row + self.row - 1 for row in found.rows),
            fix=found.fix and self._fix(found.fix),
            related=tuple(map(self._related, found.related)),
            alternatives=tuple(map(self._fix, found.alternatives)),
        )

    def _indent(self, row: str) -> int:
        """How much of a row belongs to the document: as much of the fence's indentation as it has."""
        return next((place for place, (a, b) in enumerate(zip(row, self.blanks, strict=False)) if a != b), min(len(row), len(self.blanks)))

    def location(self, location: Location) -> Location:
        """A place in the code as one in the document."""
        inside = 1 <= location.row <= len(self.rows)
        return Location(location.row + self.row - 1, location.column + (self._indent(self.rows[location.row - 1]) if inside else 0))

    def _offset(self, offset: int) -> int:
        place = self.start
        for row in self.rows:
            length = len(row) - self._indent(row)
            if offset < length:
                return place + self._indent(row) + offset
            offset -= length
            place += len(row)
        return place

    def _fix(self, fix: ResolvedFix) -> ResolvedFix:
        return replace(fix, edits=tuple(map(self._edit, fix.edits)))

    def _edit(self, edit: Edit) -> Edit:
        start = self._offset(edit.start)
        content = re.sub(r"(\r\n|\r|\n)(?=[^\r\n])", rf"\g<1>{self.blanks}", edit.content)
        if edit.start == edit.end and content[-1:] in ("\n", "\r"):  # whole rows ahead of one: that one keeps its indentation
            return Edit(start, start, f"{content}{self.blanks}")
        return Edit(start, max(start, self._offset(edit.end)), content)

    def _related(self, related: Related) -> Related:
        if related.path is not None:
            return related
        return replace(related, location=self.location(related.location), end_location=self.location(related.end_location))


class Document:
    """A text with blocks, wherever it comes from."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.blocks = _blocks(text)

    def with_codes(self, codes: Sequence[str]) -> Document:
        """The document with other code in its blocks. Raises `ValueError` for code that would end its block, or begin another one."""
        pieces: list[str] = []
        place = 0
        for block, code in zip(self.blocks, codes, strict=True):
            pieces += (self.text[place : block.start], block.with_code(code))
            place = block.end
        after = Document("".join((*pieces, self.text[place:])))
        if [block.code for block in after.blocks] != list(codes):
            raise ValueError("the blocks of a document are not what was written into them")
        return after


class Markdown(Document):
    """A document as a file. Raises `Undecodable` for bytes that are no text."""

    encoding = "utf-8"

    def __init__(self, data: bytes) -> None:
        self._bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            super().__init__(data[len(self._bom) :].decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Undecodable(f"the document is not valid utf-8: {error.reason}", data.count(b"\n", 0, error.start) + 1) from error

    def encode(self, text: str) -> bytes:
        return self._bom + text.encode()


def _blocks(text: str) -> list[Block]:
    found: list[Block] = []
    opened: re.Match[str] | None = None
    rows: list[str] = []
    place = 0
    for number, row in enumerate(_ROW.findall(text), start=1):
        fence = _FENCE.fullmatch(row.rstrip("\r\n"))
        if opened is None and fence is not None:
            opened, rows, first = fence, [], (number + 1, place + len(row))
        elif opened is not None and fence is not None and fence["fence"].startswith(opened["fence"]) and not fence["info"].strip():
            if _is_python(opened["info"]):
                found.append(Block(*first, opened["blanks"], tuple(rows)))
            opened = None
        elif opened is not None:
            rows.append(row)
        place += len(row)
    return found


def _is_python(info: str) -> bool:
    """By the first word of what stands behind the fence; `{python echo=False}` has it in braces."""
    return re.split(r"[ \t,:}]", info.lower().strip().lstrip("{."), maxsplit=1)[0] in _PYTHON

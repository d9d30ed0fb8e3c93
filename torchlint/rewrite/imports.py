"""Imports added to a file, once, beside the imports that are there.

An import is never added where it could change what a name means or when a package is loaded: such a place is `Unfixable`.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

import libcst as cst

from torchlint.edits import Edit
from torchlint.rewrite.resolving import Unfixable, builder
from torchlint.rewrite.rows import row_start
from torchlint.rewrite.slots import is_value
from torchlint.rewrite.statements import end_of_row, indent_of
from torchlint.rule import Rewrite
from torchlint.syntax.file import SourceFile

_BUILTINS = frozenset(dir(builtins))


@builder
def add_import(module: str, alias: str | None = None) -> Rewrite:
    """`import module`, or `import module as alias`, unless the file already imports just that."""
    if alias:
        wanted = _Binding(alias, module, module)
        return _adding(wanted, f"import {module} as {alias}")
    return _adding(_Binding(module.partition(".")[0], module.partition(".")[0], module), f"import {module}")


@builder
def add_from_import(module: str, name: str, alias: str | None = None) -> Rewrite:
    """`from module import name`, or `... as alias`, unless the file already imports just that, in whichever form."""
    suffix = f" as {alias}" if alias else ""
    return _adding(_Binding(alias or name, f"{module}.{name}", f"{module}.{name}"), f"from {module} import {name}{suffix}")


@builder
def rename_import(alias: cst.ImportAlias, name: str) -> Rewrite:
    """Another name in `from module import old`, and wherever the file uses it; behind `as`, the file's own name stays."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        old = alias.name
        if not isinstance(old, cst.Name):
            raise Unfixable("not a name of a module")
        yield Edit(*file.span(old, alias), name)
        if alias.asname is not None:
            return
        if name in file.tree.names or len(file.names.bindings(old)) != 1:
            raise Unfixable(f"`{name}` or `{old.value}` may be something else in this file")
        for use in file.references(old):
            if use is not old:
                if not is_value(use, file.parent):
                    raise Unfixable(f"`{old.value}` is assigned")
                yield Edit(*file.span(use), name)

    return edits


Moved = tuple[str, str] | None
"""The module that a name is imported from instead and what it is called there; None where it is imported no more."""


@builder
def move_imports(statement: cst.ImportFrom, moved: Mapping[cst.ImportAlias, Moved]) -> Rewrite:
    """Some names of a `from` import imported from elsewhere, or no more; what else it imports stays as it is written.

    A name that gets another one there is bound by the new one, unless it was bound by an `as` name. Uses are not touched.
    """

    def edits(file: SourceFile) -> Iterator[Edit]:
        if isinstance(statement.names, cst.ImportStar) or statement.relative or statement.module is None:
            raise Unfixable("not an import of names from a library")
        aliases = list(statement.names)
        places = {target[0] for target in moved.values() if target is not None}
        if len(moved) == len(aliases) and len(places) == 1 and None not in moved.values():
            yield Edit(*file.span(statement.module, statement), places.pop())
            for alias, target in moved.items():
                if target is not None:
                    yield from _renamed(file, alias, target[1])
            return
        rows = _moved_rows(moved)
        line = file.parent(statement)
        if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
            raise Unfixable("other code stands on the same row")
        start, end = file.span(statement)
        newline, blanks = file.module.default_newline, indent_of(file.text, start)
        if len(moved) == len(aliases):
            if not rows:
                raise Unfixable("nothing would be left of the import")
            yield Edit(start, end, f"{newline}{blanks}".join(rows))
            return
        yield from _without(file, aliases, moved)
        if rows:
            end = end_of_row(file.text, end)
            yield Edit(end, end, "".join(f"{newline}{blanks}{row}" for row in rows))

    return edits


def _moved_rows(moved: Mapping[cst.ImportAlias, Moved]) -> list[str]:
    """One row for each module, in the order of what is imported."""
    rows: dict[str, list[str]] = {}
    for alias, target in moved.items():
        if target is not None:
            bound = alias.asname.name if alias.asname is not None else None
            suffix = f" as {bound.value}" if isinstance(bound, cst.Name) else ""
            rows.setdefault(target[0], []).append(target[1] + suffix)
    return [f"from {module} import {', '.join(names)}" for module, names in rows.items()]


def _renamed(file: SourceFile, alias: cst.ImportAlias, name: str) -> Iterator[Edit]:
    if _dotted(alias.name) != name:
        yield Edit(*file.span(alias.name, alias), name)


def _without(file: SourceFile, aliases: list[cst.ImportAlias], moved: Mapping[cst.ImportAlias, Moved]) -> Iterator[Edit]:
    """The list without some names: each run of them goes up to the next name that stays, the last one from the one before on."""
    kept = [place for place, alias in enumerate(aliases) if alias not in moved]
    place = 0
    while place < len(aliases):
        if aliases[place] not in moved:
            place += 1
            continue
        following = next((each for each in kept if each > place), None)
        if following is not None:
            yield Edit(file.span(aliases[place])[0], file.span(aliases[following])[0], "")
            place = following
        else:
            yield Edit(file.span(aliases[place - 1])[1], file.span(aliases[-1])[1], "")
            return


@dataclass(frozen=True, slots=True)
class _Binding:
    name: str
    """What an import binds in the file."""
    target: str
    """What the name then stands for."""
    loaded: str
    """What is loaded for it: all of `a.b` for `import a.b`, which binds `a`."""

    @property
    def package(self) -> str:
        return self.loaded.partition(".")[0]


def _adding(wanted: _Binding, row: str) -> Rewrite:
    def edits(file: SourceFile) -> Iterator[Edit]:
        imports = list(_imports(file))
        at_top = [each for each in imports if each.runs_at_top]
        if any(_provides(binding, wanted) for each in at_top for binding in each.bindings):
            return
        _check_name(file, imports, wanted)
        place = _anchor(file.module, [each for each in imports if wanted.package in each.packages])
        yield _row_behind(file, place, row)

    return edits


def _provides(binding: _Binding, wanted: _Binding) -> bool:
    same = (binding.name, binding.target) == (wanted.name, wanted.target)
    return same and (wanted.loaded == wanted.target or binding.loaded == wanted.loaded)


@dataclass(frozen=True, slots=True)
class _Import:
    statement: cst.Import | cst.ImportFrom
    bindings: tuple[_Binding, ...]
    packages: frozenset[str]
    """The top-level packages that it loads."""
    is_direct: bool
    """Whether it stands in the module itself, in no block."""
    runs_at_top: bool
    """Whether it binds a name of the module when the module is run, under a condition perhaps."""


def _imports(file: SourceFile) -> Iterator[_Import]:
    statements: list[cst.Import | cst.ImportFrom] = [*file.nodes(cst.Import), *file.nodes(cst.ImportFrom)]
    for statement in statements:
        bindings = tuple(_bindings(statement))
        packages = frozenset(binding.package for binding in bindings)
        if isinstance(statement, cst.ImportFrom):
            packages = frozenset({_source(statement).partition(".")[0]})
        blocks = [each for each in file.ancestors(statement) if isinstance(each, cst.BaseCompoundStatement)]
        at_top = not any(isinstance(each, (cst.FunctionDef, cst.ClassDef)) or _is_for_types_only(each) for each in blocks)
        yield _Import(statement, bindings, packages, not blocks, at_top)


def _is_for_types_only(block: cst.CSTNode) -> bool:
    """`if TYPE_CHECKING:`, which is never run."""
    test = block.test if isinstance(block, cst.If) else None
    name = test.attr if isinstance(test, cst.Attribute) else test
    return isinstance(name, cst.Name) and name.value == "TYPE_CHECKING"


def _bindings(statement: cst.Import | cst.ImportFrom) -> Iterator[_Binding]:
    if isinstance(statement.names, cst.ImportStar):
        return
    source = f"{_source(statement)}." if isinstance(statement, cst.ImportFrom) else ""
    for each in statement.names:
        loaded = source + _dotted(each.name)
        if each.asname and isinstance(each.asname.name, cst.Name):
            yield _Binding(each.asname.name.value, loaded, loaded)
        elif source:
            yield _Binding(_dotted(each.name), loaded, loaded)
        else:
            yield _Binding(loaded.partition(".")[0], loaded.partition(".")[0], loaded)


def _source(statement: cst.ImportFrom) -> str:
    """The module of a `from` import; with its dots, so that a relative one is like no other."""
    return "." * len(statement.relative) + (_dotted(statement.module) if statement.module else "")


def _dotted(name: cst.BaseExpression) -> str:
    if isinstance(name, cst.Attribute):
        return f"{_dotted(name.value)}.{name.attr.value}"
    return name.value if isinstance(name, cst.Name) else ""


def _check_name(file: SourceFile, imports: Iterable[_Import], wanted: _Binding) -> None:
    """Refuse a name that means something else anywhere in the file, or may do so through `import *` or as a builtin."""
    if any(binding.name == wanted.name and binding.target != wanted.target for each in imports for binding in each.bindings):
        raise Unfixable(f"`{wanted.name}` is imported from elsewhere")
    bound = any(binding.name == wanted.name for each in imports for binding in each.bindings)
    hidden = wanted.name in _BUILTINS or any(isinstance(each.statement.names, cst.ImportStar) for each in imports)
    for name in file.tree.names.get(wanted.name, ()):
        if any(isinstance(each, (cst.Import, cst.ImportFrom)) for each in file.ancestors(name)):
            continue
        if not is_value(name, file.parent):
            raise Unfixable(f"`{wanted.name}` is something else in this file")
        if hidden and not bound:
            raise Unfixable(f"`{wanted.name}` may already mean something else")


def _anchor(module: cst.Module, relatives: list[_Import]) -> int:
    """The statement of the module behind which the import goes, -1 for none.

    Beside the first import of the same package: what stands before that (`os.environ[...] = ...`) may have to run first.
    Otherwise at the end of the imports that begin the file.
    """
    body = module.body
    if relatives:
        direct = {each.statement for each in relatives if each.is_direct}
        place = next((place for place, line in enumerate(body) if _is_import(line) and not direct.isdisjoint(line.body)), -1)
        if place < 0:
            raise Unfixable("the package is only imported under a condition, when needed, or beside other code")
    else:
        place = 0 if body and _is_docstring(body[0]) else -1
    while place + 1 < len(body) and _is_import(body[place + 1]):
        place += 1
    return place


def _is_docstring(line: cst.CSTNode) -> bool:
    first = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    return isinstance(first, cst.Expr) and isinstance(first.value, (cst.SimpleString, cst.ConcatenatedString))


def _is_import(line: cst.CSTNode) -> TypeGuard[cst.SimpleStatementLine]:
    return isinstance(line, cst.SimpleStatementLine) and all(isinstance(each, (cst.Import, cst.ImportFrom)) for each in line.body)


def _row_behind(file: SourceFile, place: int, row: str) -> Edit:
    """A row of its own behind that statement, or before everything but the comments that begin the file."""
    body, newline = file.module.body, file.module.default_newline
    if place >= 0:
        end = end_of_row(file.text, file.span(body[place])[1])
        gap = "" if _is_import(body[place]) else newline
        return Edit(end, end, f"{newline}{gap}{row}")
    if not body:
        return Edit(len(file.text), len(file.text), f"{row}{newline}")
    line = body[0]
    start = file.span(line.decorators[0] if isinstance(line, (cst.FunctionDef, cst.ClassDef)) and line.decorators else line)[0]
    indent_of(file.text, start)
    start = row_start(file.text, start)
    return Edit(start, start, f"{row}{newline}{newline}")

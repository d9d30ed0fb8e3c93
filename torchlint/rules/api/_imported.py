"""A changed name that a `from` import brings: where it is imported from instead, with all its uses, or why that cannot be told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import libcst as cst

from torchlint.facts.changes import Change, Recipe
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import UNSAFE, Fix
from torchlint.rules.api._recipes import Called

Fixing = Callable[[FileAnalysis, cst.Name, Change, "tuple[str, str] | None"], "tuple[Fix | None, bool]"]
"""How one use is rewritten, and whether that needs an `import torch`; the pair is what the import gives in place of the old name."""


@dataclass(frozen=True, eq=False)
class Imported:
    """One name of one import."""

    alias: cst.ImportAlias
    change: Change
    uses: tuple[cst.Name, ...]
    target: tuple[str, str] | None
    """The module and the name that are imported instead; None where nothing is."""
    fix: Fix | None
    """The edits of all uses; None where one of them cannot be rewritten."""
    needs_torch: bool = False


def imported(file: FileAnalysis, statement: cst.ImportFrom, alias: cst.ImportAlias, change: Change, fixing: Fixing) -> Imported:
    bound = alias.asname.name if alias.asname is not None else alias.name
    assert isinstance(bound, cst.Name)
    uses = tuple(each for each in file.references(bound) if each is not bound and not _is_import(file, each))
    if file.names.definition(bound) is None:
        return Imported(alias, change, uses, None, None)  # bound elsewhere too
    target, name = _target(file, alias, change, uses, bound.value)
    if target is None and not uses:
        return Imported(alias, change, uses, None, None)
    whole, needs_torch = Fix(()), False
    for use in uses:
        fix, missing = fixing(file, use, change, (".".join(target), name) if target is not None else None)
        if fix is None:
            return Imported(alias, change, uses, target, None)
        whole, needs_torch = whole + fix, needs_torch or missing
    if name != bound.value and file.tree.names.get(name):
        return Imported(alias, change, uses, target, None)  # the new name is taken
    if _may_be_imported_from_here(file, bound.value):
        whole = whole.at_most(UNSAFE)
    return Imported(alias, change, uses, target, whole, needs_torch)


def _target(
    file: FileAnalysis, alias: cst.ImportAlias, change: Change, uses: tuple[cst.Name, ...], bound: str
) -> tuple[tuple[str, str] | None, str]:
    """What is imported instead and what the file calls it: nothing where the new call is another expression altogether."""
    recipes = [recipe for use in uses if (recipe := _recipe(file, change, use)) is not None] or [
        each for each in change.recipes if each.is_rename
    ]
    if not recipes or any(each.is_template or each.wraps != "{}" or each.to != recipes[0].to for each in recipes):
        return None, bound
    module, _, name = recipes[0].to.rpartition(".")
    return (module, name), bound if alias.asname is not None else name


def _recipe(file: FileAnalysis, change: Change, use: cst.Name) -> Recipe | None:
    parent = file.parent(use)
    if isinstance(parent, cst.Call) and parent.func is use:
        return Called(file, change, parent).recipe()
    return change.recipes[0] if change.recipes else None


def _is_import(file: FileAnalysis, node: cst.Name) -> bool:
    return any(isinstance(each, (cst.Import, cst.ImportFrom)) for each in file.ancestors(node))


def _may_be_imported_from_here(file: FileAnalysis, name: str) -> bool:
    """Whether another file seems to import the name from this one."""
    path = Path(file.path)
    stem = path.parent.name if path.stem == "__init__" else path.stem
    if re.search(rf"__all__[^\n]*\b{name}\b", file.text) is not None:
        return True
    listed = rf"(?:\*|\([^)]*\b{name}\b|[^\n(]*\b{name}\b)"
    return file.is_written_elsewhere(re.compile(rf"from\s+[\w.]*\b{re.escape(stem)}\s+import\s+{listed}|\b{re.escape(stem)}\.{name}\b"))

"""Where a file speaks of a name that has changed: in an import, in an expression, or as a method of a tensor.

A name that a `from` import brings is reported there, once, with its uses; every other one where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from torchlint import rewrite
from torchlint.facts.changes import Change, Does, Kind, changes
from torchlint.facts.names import canonical
from torchlint.facts.versions import Range
from torchlint.model.naming import uses_of
from torchlint.model.releases import supported
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import Finding, Fix
from torchlint.rules.api._guarded import is_fallback, is_guarded
from torchlint.rules.api._imported import Imported, imported
from torchlint.rules.api._recipes import Called, rewritten
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind as Of
from torchlint.values.value import Value

Wanted = Callable[[Change, Range], bool]


def removed(change: Change, versions: Range) -> bool:
    return change.kind is not Kind.ARGUMENT and change.is_removed(versions)


def deprecated(change: Change, versions: Range) -> bool:
    return change.kind is Kind.DEPRECATED and change.is_outdated(versions)


def moved(change: Change, versions: Range) -> bool:
    return change.kind is Kind.MOVED and change.is_outdated(versions)


def arguments(change: Change, versions: Range) -> bool:
    return change.kind is Kind.ARGUMENT and (change.is_removed(versions) or change.is_outdated(versions))


def findings(file: FileAnalysis, wanted: Wanted) -> Iterator[Finding]:
    """Everything that a rule reports, in document order of its kind: imports, expressions, methods."""
    spoken = file.once(_Spoken)

    def matters(change: Change, node: Node) -> bool:
        is_meant = is_guarded(file, node) or change.replacement is not None and is_fallback(file, node, change.replacement)
        return wanted(change, supported(file, node)) and not is_meant

    for statement, brought in spoken.imports:
        yield from _imports(file, statement, [(alias, change) for alias, change in brought if matters(change, statement)])
    for node, change in spoken.uses:
        found = _use(file, node, change) if matters(change, node) else None
        if found is not None:
            yield found
    for call, change in spoken.methods:
        found = _method(file, call, change) if matters(change, call) else None
        if found is not None:
            yield found


class _Spoken:
    """Where a file speaks of what has changed, whichever rule is to report it."""

    def __init__(self, file: FileAnalysis) -> None:
        rows = changes()
        self.imports = [(each, brought) for each in file.nodes(cst.ImportFrom) if (brought := _brought(file, each, rows))]
        self.uses = [
            (node, rows[path])
            for node, path in uses_of(file, rows)
            if not _is_reported_on_import(file, node, path) and _is_read(file, node)
        ]
        written = [each for each in rows.values() if each.is_method and each.last in file.tree.attributes]
        self.methods = [(call, change) for change in written for call in file.methods(change.last) if _may_be_of_tensor(file, call, change)]


def _brought(file: FileAnalysis, statement: cst.ImportFrom, rows: Mapping[str, Change]) -> list[tuple[cst.ImportAlias, Change]]:
    """The names that an import brings and that have changed themselves."""
    if isinstance(statement.names, cst.ImportStar) or statement.relative or statement.module is None:
        return []
    module = file.source(statement.module)
    named = ((alias, rows.get(canonical(f"{module}.{file.source(alias.name)}"))) for alias in statement.names)
    return [(alias, change) for alias, change in named if change is not None and not _is_about_calls(change)]


# -- the three forms ------------------------------------------------------------------------------------------------------


def _imports(file: FileAnalysis, statement: cst.ImportFrom, brought: list[tuple[cst.ImportAlias, Change]]) -> Iterator[Finding]:
    found = [imported(file, statement, alias, change, _fix) for alias, change in brought]
    fix: Fix | None = None
    fixable = [each for each in found if each.fix is not None and each.change.can_be_replaced(supported(file, statement))]
    if fixable:
        fix = _moving(file, statement, fixable)
    for each in found:
        uses = tuple((use, "used here") for use in each.uses)
        is_quiet = not each.change.is_felt(supported(file, statement))
        yield Finding(
            each.alias, _message(each.change), _help(each.change), fix if each in fixable else None, uses[:5], is_for_askers=is_quiet
        )


def _moving(file: FileAnalysis, statement: cst.ImportFrom, fixable: list[Imported]) -> Fix:
    """The import and all uses of what it brings, together."""
    targets = {each.alias: each.target for each in fixable}
    needs_torch = any(each.needs_torch for each in fixable)
    is_emptied = (
        len(targets) == len(list(statement.names)) and not any(targets.values())
        if not isinstance(statement.names, cst.ImportStar)
        else False
    )
    if is_emptied:
        line = cst.ensure_type(file.statement(statement), cst.SimpleStatementLine)
        fix = rewrite.replace_statement(line, "import torch") if needs_torch else rewrite.delete_statement(line)
    else:
        fix = rewrite.move_imports(statement, targets)
        fix = fix + rewrite.add_import("torch") if needs_torch else fix
    for each in fixable:
        fix = fix + each.fix if each.fix is not None else fix
    return fix.saying("import it from where it is today" if all(targets.values()) else "use what takes its place")


def _use(file: FileAnalysis, node: cst.Name | cst.Attribute, change: Change) -> Finding | None:
    parent = file.parent(node)
    called = Called(file, change, parent) if isinstance(parent, cst.Call) and parent.func is node else None
    if called is not None and not called.is_meant() or called is None and _is_about_calls(change):
        return None
    fix, needs_torch = _fix(file, node, change, None) if change.can_be_replaced(supported(file, node)) else (None, False)
    fix = fix + rewrite.add_import("torch") if fix is not None and needs_torch else fix
    return Finding(node, _message(change, called), _help(change), fix, is_for_askers=not change.is_felt(supported(file, node)))


def _may_be_of_tensor(file: FileAnalysis, call: cst.Call, change: Change) -> bool:
    """Whether a method is called on a tensor. A keyword that only tensors know is as good as knowing the tensor."""
    if file.qualname(call.func) is not None or not isinstance(call.func, cst.Attribute):
        return False
    receiver = file.value(call.func.value)
    says_so = receiver.kind is Of.UNKNOWN and any(each.keyword and each.keyword.value in change.given for each in call.args)
    return says_so or receiver.is_tensor and not _may_be_foreign(receiver)


def _method(file: FileAnalysis, call: cst.Call, change: Change) -> Finding | None:
    assert isinstance(call.func, cst.Attribute)
    called = Called(file, change, call, call.func.value)
    if not called.is_meant():
        return None
    recipe = called.recipe() if change.can_be_replaced(supported(file, call)) else None
    fix: Fix | None = None
    if recipe is not None:
        spelling = _Spelling(file, call)
        fix = rewritten(called, recipe, spelling)
        fix = fix + rewrite.add_import("torch") if spelling.is_missing else fix
    return Finding(call, _message(change, called), _help(change), fix, is_for_askers=not change.is_felt(supported(file, call)))


def _may_be_foreign(value: Value) -> bool:
    """Whether it comes out of arithmetic with something unknown, whose class may have operators of its own, as lazy matrices do."""
    return isinstance(value.node, cst.BinaryOperation) and any(each.kind is Of.UNKNOWN for each in value.sources)


# -- their fixes ----------------------------------------------------------------------------------------------------------


@dataclass
class _Spelling:
    """How names are written at a place."""

    file: FileAnalysis
    place: Node
    bound: tuple[str, str] | None = None
    """A dotted name and what an import binds it to."""
    beside: tuple[str, str] | None = None
    """A module and how the old name writes it."""
    is_missing: bool = False
    """Whether `torch` must be imported for what was written."""

    def __call__(self, path: str) -> str:
        owner, _, last = path.rpartition(".")
        if self.bound is not None and self.bound[0] == path:
            return self.bound[1]
        if self.beside is not None and self.beside[0] == owner:
            return f"{self.beside[1]}.{last}"
        found = self.file.spelling(path, self.place) or self.file.spelling(canonical(path), self.place)
        self.is_missing = self.is_missing or found is None
        return found or path


def _fix(file: FileAnalysis, node: cst.Name | cst.Attribute, change: Change, bound: tuple[str, str] | None) -> tuple[Fix | None, bool]:
    """One use rewritten, as a call, a decorator, an annotation or a mere name, and whether that needs an `import torch`."""
    spelling = _Spelling(file, node, bound)
    if isinstance(node, cst.Attribute):
        spelling.beside = change.name.rpartition(".")[0], file.source(node.value)
    fix = _fixed(file, node, change, spelling)
    return fix, spelling.is_missing


def _fixed(file: FileAnalysis, node: cst.Name | cst.Attribute, change: Change, spelling: _Spelling) -> Fix | None:
    parent = file.parent(node)
    if isinstance(parent, cst.Call) and parent.func is node:
        called = Called(file, change, parent)
        recipe = called.recipe()
        return rewritten(called, recipe, spelling) if recipe is not None else None
    for recipe in change.recipes:
        if isinstance(parent, cst.Decorator) and recipe.adds and not recipe.front:
            return rewrite.replace(node, f"{spelling(recipe.to)}({', '.join(recipe.adds)})")
        if not recipe.is_template and (recipe.is_rename or _is_type(file, node)):
            name = spelling(recipe.to)
            return rewrite.replace(node, name) if name != file.source(node) else Fix(())
    return None


def _is_type(file: FileAnalysis, node: Node) -> bool:
    """Whether a class is only named as a type: in an annotation, in `isinstance`."""
    for each in file.ancestors(node):
        if isinstance(each, cst.Annotation):
            return True
        if isinstance(each, cst.Call):
            return isinstance(each.func, cst.Name) and each.func.value == "isinstance"
        if not isinstance(each, (cst.Subscript, cst.SubscriptElement, cst.Index, cst.Tuple, cst.Element, cst.BinaryOperation, cst.Arg)):
            return False
    return False


# -- what is no finding ---------------------------------------------------------------------------------------------------


def _is_reported_on_import(file: FileAnalysis, node: cst.Name | cst.Attribute, path: str) -> bool:
    """Whether the name itself is what a `from` import brought."""
    if not isinstance(node, cst.Name):
        return False
    return any(binding.how is Binds.IMPORT and canonical(binding.path or "") == path for binding in file.names.bindings(node)) and not (
        _is_about_calls(changes()[path])
    )


def _is_about_calls(change: Change) -> bool:
    """Whether what changed is not the name itself, but some calls of it."""
    return change.is_call or bool(change.when or change.given)


def _is_read(file: FileAnalysis, node: Node) -> bool:
    """Whether the name is used, not given another meaning or deleted."""
    parent = file.parent(node)
    return (
        not isinstance(parent, (cst.AssignTarget, cst.AnnAssign, cst.Del, cst.AugAssign))
        or isinstance(parent, cst.AnnAssign)
        and (parent.value is node)
    )


# -- what is said ---------------------------------------------------------------------------------------------------------


def _message(change: Change, called: Called | None = None) -> str:
    name = f"torch.Tensor.{change.last}" if called is not None and called.receiver is not None else change.name
    if change.given and called is not None and called.bound is not None:
        return _of_arguments(change, name, [each for each in change.given if each in called.bound])
    if change.removed and change.does is Does.IS_GONE:
        return f"`{name}` is gone since {change.release or f'torch {change.removed}'}"
    if change.removed:
        arguments = "".join(f" without `{parameter}`" for parameter in change.when)
        return f"`{name}`{arguments} raises since torch {change.removed}"
    still = change.does.value
    if change.kind is Kind.MOVED:
        return f"`{name}` has moved to `{change.to}` in torch {change.since}; the old name still {still}".replace("still warns", "warns")
    without = " and ".join(f"`{each}`" for each in change.when)
    return f"`{name}` {f'without {without} ' if without else ''}is deprecated since torch {change.since}, and {still}"


def _of_arguments(change: Change, name: str, given: list[str]) -> str:
    said, are = " and ".join(f"`{each}`" for each in given), "are" if len(given) > 1 else "is"
    if change.removed:
        return f"{said} of `{name}` {are} gone since torch {change.removed}: the call raises"
    if change.does is Does.NOTHING:
        return f"{said} of `{name}` {are} called otherwise since torch {change.since}; the old name works without a warning"
    return f"{said} of `{name}` {are} deprecated since torch {change.since}; the call warns"


def _help(change: Change) -> str:
    use = f"use `{change.to}`" if change.replacement is not None else f"use {change.to}"
    return f"{use}: {change.hint}" if change.hint else use

"""Code that is fetched or loaded into the program while it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import libcst as cst

from torchlint.facts.signatures import signatures
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax import cells
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.binding import bind

_TRUSTED = ("facebookresearch", "facebookincubator", "pytorch", "fairinternal")
"""Owners that `torch.hub` itself trusts."""
_OWN = frozenset({"__file__", "find_spec", "origin", "sysconfig"})
"""By what a program finds the libraries that were installed with it."""
_DEEP = 4
"""Names that lead from one to the next."""


def unasked_repositories(file: FileAnalysis) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    """Calls of `torch.hub.load` that do not say whether the repository is trusted, and the repository. In a notebook somebody is asked."""
    if cells.may_be_in(file.text):
        return
    for call in file.calls("torch.hub.load"):
        bound = bind(call, signatures("torch.hub.load")[0].parameters)
        repository = bound["repo_or_dir"]
        if repository is None or any(arg.star == "**" for arg in call.args) or "trust_repo" in bound:
            continue
        if "source" in bound and bound.literal("source") != "github":
            continue
        name = literal(repository)
        if isinstance(name, str) and "/" in name and name.partition("/")[0] not in _TRUSTED and not _is_this(file, name):
            yield call, repository


def _is_this(file: FileAnalysis, repository: str) -> bool:
    """Whether the project is that repository itself: what its `hubconf.py` offers is told there by its own name."""
    named = re.compile(rf"[\"']{re.escape(repository.partition(':')[0])}[:\"']")
    where = [path for path, _ in file.found_elsewhere(named) or ()]
    return any(Path(each).name == "hubconf.py" for each in where)


def chosen_libraries(file: FileAnalysis) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    """Where a library is loaded from a place that the program does not spell out, and what says which."""
    for call in file.calls("torch.ops.load_library", "torch.classes.load_library"):
        path = next((arg.value for arg in call.args if not arg.star), None)
        if path is not None and not _is_own(file, path, _DEEP):
            yield call, path


def _is_own(file: FileAnalysis, path: Node, deep: int) -> bool:
    """Whether a path is spelt out, or found beside the program's own files."""
    if literal(path) is not ...:
        return True
    parts = [each for each in descendants(path) if isinstance(each, cst.Name)]
    if any(each.value in _OWN for each in parts):
        return True
    for name in parts:
        bindings = file.names.bindings(name) if deep and name in file.tree.order else []
        if any(each.value is not None and each.path is None and _is_own(file, each.value, deep - 1) for each in bindings):
            return True
    return False

"""What each kind of file says about torch: one function per kind, from its text to the bounds that stand in it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Any

from torchlint.dependencies.bounds import Bounds, specified
from torchlint.sources import toml

_REQUIREMENT = re.compile(
    r"""\s*(?:[\w.-]+::)?(?P<name>[\w.-]+)\s*(?:\[[^\]]*\])?\s*
    \(?\s*(?P<specifier>(?:[<>=!~^][^;\#)]*)?)\)?\s*(?:[;\#].*)?$""",
    re.VERBOSE,
)
_NAMES = frozenset({"torch", "pytorch", "pytorch-cpu", "pytorch-gpu"})
"""pip's name and conda's."""
_ENTRY = re.compile(r"""^\s*-\s*["']?((?:[\w.-]+::)?(?:py)?torch(?:-[cg]pu)?(?![\w-])[^"'\n]*)""", re.MULTILINE)
_LOCKED = re.compile(r'^\[\[package\]\]\s*\n(?:name = "torch"\s*\nversion = "([^"]+)")', re.MULTILINE)


def pyproject(text: str) -> list[Bounds]:
    """PEP 621 with its extras, dependency groups (PEP 735), and Poetry's own tables."""
    try:
        document = toml.parse(text)
    except (ValueError, RecursionError):
        return []
    project, poetry = _table(document, "project"), _table(document, "tool", "poetry")
    lists = [project.get("dependencies"), *_table(project, "optional-dependencies").values()]
    lists += _table(document, "dependency-groups").values()
    found = [each for requirements in lists if isinstance(requirements, list) for each in _requirements(requirements)]
    groups = [_table(group, "dependencies") for group in _table(poetry, "group").values() if isinstance(group, dict)]
    for table in (_table(poetry, "dependencies"), _table(poetry, "dev-dependencies"), *groups):
        found += _poetry(table.get("torch"))
    return found


def _poetry(entry: object) -> Iterator[Bounds]:
    if isinstance(entry, str):
        yield specified(entry)
    elif isinstance(entry, dict):
        yield from _poetry(entry.get("version"))
    elif isinstance(entry, list):
        for each in entry:
            yield from _poetry(each)


def setup_cfg(text: str) -> list[Bounds]:
    import configparser

    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return []
    lists = [parser.get("options", "install_requires", fallback="")]
    if parser.has_section("options.extras_require"):
        lists += [value for _, value in parser.items("options.extras_require")]
    return [each for value in lists for each in _requirements(value.splitlines())]


def setup_py(text: str) -> list[Bounds]:
    """The texts in what `setup(install_requires=…, extras_require=…)` is given, directly or through names: read, never run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the interpreter's remarks on the spelling of somebody's texts
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    assigned: dict[str, list[ast.expr]] = {}
    given: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    assigned.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.Call) and (getattr(node.func, "id", None) or getattr(node.func, "attr", None)) == "setup":
            given += [each.value for each in node.keywords if each.arg in ("install_requires", "extras_require")]
    return _requirements(text for value in given for text in _texts(value, assigned, frozenset()))


def _texts(node: ast.expr, assigned: dict[str, list[ast.expr]], seen: frozenset[str]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from node.value.splitlines()
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for each in node.elts:
            yield from _texts(each, assigned, seen)
    elif isinstance(node, ast.Dict):
        for each in node.values:
            yield from _texts(each, assigned, seen)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _texts(node.left, assigned, seen)
        yield from _texts(node.right, assigned, seen)
    elif isinstance(node, ast.Starred):
        yield from _texts(node.value, assigned, seen)
    elif isinstance(node, ast.Name) and node.id not in seen:
        for each in assigned.get(node.id, ()):
            yield from _texts(each, assigned, seen | {node.id})


def requirements(text: str) -> list[Bounds]:
    """pip's files, and conda's lists of packages, which are kept under the same name."""
    lines = re.sub(r"\\\r?\n", " ", text).splitlines()
    return _requirements(re.sub(r"\s--?\w.*", "", line) for line in lines if not line.lstrip().startswith(("#", "-")))


def environment(text: str) -> list[Bounds]:
    """The lines that name torch in conda's list or in the list for pip inside it; YAML around them is not read."""
    return _requirements(_ENTRY.findall(text))


def lock(text: str) -> list[Bounds]:
    """The versions that uv, Poetry or PDM settled on, one for each kind of machine."""
    return [specified(f"=={version}") for version in _LOCKED.findall(text)]


def _requirements(texts: Any) -> list[Bounds]:
    """What those of these requirements say that are torch's own."""
    found = []
    for text in texts:
        if isinstance(text, str) and "torch" in text.lower():
            match = _REQUIREMENT.match(_conda(text))
            if match is not None and match["name"].lower().replace("_", "-") in _NAMES:
                found.append(specified(match["specifier"].strip()))
    return found


def _conda(text: str) -> str:
    """Conda's `pytorch=2.1.0=py3.10_cuda11.8` without its build, and `pytorch 2.1.*` with the sign that it leaves out."""
    text = re.sub(r"^(\s*[\w:.-]+\s*={1,2}\s*[\w.*]+)=[\w.*]+", r"\1", text)
    return re.sub(r"^(\s*[\w:.-]*torch[\w-]*)\s+(?=\d)", r"\1=", text)


def _table(document: dict[str, Any], *path: str) -> dict[str, Any]:
    for name in path:
        inner = document.get(name)
        if not isinstance(inner, dict):
            return {}
        document = inner
    return document

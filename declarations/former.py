"""The names that torch had before the tables begin, and lacks since: read off wheels of old versions, a few for all.

Of a name that is in here nothing else is said. Whoever uses it wrote for an old torch, and did not misspell anything.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from declarations.sources import Library
from torchlint.facts.versions import may_exist

VERSIONS = ((1, 0), (1, 2), (1, 4), (1, 6), (1, 8), (1, 10), (1, 13))
_TENSORS = ("torch.tensor.Tensor", "torch._tensor.Tensor", "torch._C._TensorBase")
_CLASSES = {**dict.fromkeys(_TENSORS, "torch.Tensor"), **{name: name for name in ("torch.nn.Module", "torch.optim.Optimizer")}}
_DOCUMENTED = {
    "torch/_torch_docs.py": ("torch.", re.compile(r"add_docstr\(torch\.(\w+),")),
    "torch/_tensor_docs.py": ("torch.Tensor.", re.compile(r"add_docstr_all\(\s*'(\w+)'")),
}
"""Where functions made in C have their documentation, which is all that the oldest versions declare of them."""

_BEFORE_1 = ("torch.legacy", "torch.utils.trainer", "torch.utils.ffi")
"""Packages that were gone, or only raised an exception, in torch 1.0: no wheel with them is left in the package index."""


def names(texts: Mapping[str, str]) -> Iterator[str]:
    """The dotted names that one version declares or documents."""
    library = Library({path: text for path, text in texts.items() if _is_readable(text)})
    for module in library.public_modules():
        yield module.name
        for name in library.names(module):
            yield f"{module.name}.{name}"
    for path, (owner, pattern) in _DOCUMENTED.items():
        for name in pattern.findall(texts.get(path, "")):
            yield owner + name
    for home, name in _CLASSES.items():
        found = library.resolve(home)
        for node in found.nodes if found is not None else ():
            for member in node.body if isinstance(node, ast.ClassDef) else ():
                yield from (f"{name}.{each}" for each in _bound(member))


def _is_readable(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _bound(member: ast.stmt) -> Iterator[str]:
    match member:
        case ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def lines(old: Iterable[str]) -> Iterator[str]:
    """Sections of modules and classes, and under each the names that the tables, as they stand in the package, do not have."""
    gone: dict[str, set[str]] = {}
    for name in {*old, *_BEFORE_1}:
        owner, _, last = name.rpartition(".")
        if owner and not any(part.startswith("_") for part in name.split(".")) and not may_exist(name):
            gone.setdefault(owner, set()).add(last)
    for section in sorted(gone):
        yield f"[{section}]"
        yield f"& {' '.join(sorted(gone[section]))}"

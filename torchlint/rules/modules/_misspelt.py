"""Methods that look like those which `torch.nn.Module` calls by name, in classes that have no other of that name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.facts.classes import MODULE
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel

_CONSTRUCTOR = re.compile(r"_+(?:init|inti|innit|intit|initi|ini|int)_+|__init")
_PLAIN = frozenset({MODULE, "abc.ABC"})


def misspelt(file: FileAnalysis, model: ClassModel) -> Iterator[tuple[cst.FunctionDef, str]]:
    """The methods that are named almost like `__init__` or `forward`, each with that name."""
    if not model.is_module or model.is_open or not model.imported_bases <= _PLAIN or model.node.decorators:
        return
    for name, method in model.own_methods.items():
        meant = _meant(name, method)
        if meant is None or model.method(meant) is not None or method.decorators or model.method("__call__") is not None:
            continue
        if name != "__int__" and _is_spoken_of(file, name, method):
            continue
        yield method, meant


def _meant(name: str, method: cst.FunctionDef) -> str | None:
    if name != "__init__" and _CONSTRUCTOR.fullmatch(name):
        takes = len(method.params.posonly_params) + len(method.params.params)
        return "__init__" if name != "__int__" or takes > 1 or _builds(method) else None
    return "forward" if name != "forward" and _is_one_slip_away(name, "forward") else None


def _builds(method: cst.FunctionDef) -> bool:
    """Whether the first thing it does is to call the base constructor."""
    code = cst.Module(body=()).code_for_node(method.body)
    return "__init__" in code


def _is_spoken_of(file: FileAnalysis, name: str, method: cst.FunctionDef) -> bool:
    """Whether the name appears anywhere but in this definition: called, overridden, or in a string."""
    return len(re.findall(rf"\b{re.escape(name)}\b", file.text)) > 1 or file.is_named_elsewhere(name)


def _is_one_slip_away(word: str, meant: str) -> bool:
    """Whether one letter is missing, too many, another, or changed places with its neighbour."""
    if abs(len(word) - len(meant)) > 1 or any(each.isdigit() or each.isupper() for each in word):
        return False
    place = next((at for at, (a, b) in enumerate(zip(word, meant, strict=False)) if a != b), min(len(word), len(meant)))
    left, right = word[place:], meant[place:]
    return left[1:] == right or left == right[1:] or left[1:] == right[1:] or left[:2] == right[1::-1] and left[2:] == right[2:]

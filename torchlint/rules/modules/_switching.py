"""Whether the modes of a class are ever switched: it is a part of another module, or somebody asks for `train(mode)` or `eval()`.

A class may be a module only so that `to` and `state_dict` reach what it holds; its `train` is then what its author says it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants


def is_switched(file: FileAnalysis, model: ClassModel, method: cst.FunctionDef) -> bool:
    """Whether the program shows that a module of this class is switched, or is held by a module, which then switches it."""
    return (
        any(_is_of(file, each, model) for each in _held(file))
        or any(_is_of(file, each, model) for each in _asked(file, method))
        or bool(file.found_elsewhere(_elsewhere(model.name, takes_nothing(method))))
    )


def takes_nothing(method: cst.FunctionDef) -> bool:
    params = method.params
    return len(params.posonly_params) + len(params.params) == 1 and not params.kwonly_params


def _elsewhere(name: str, is_bare: bool) -> re.Pattern[str]:
    """What a file without a class of its own by this name says of it: `self.part = Name(…)`, `x = Name(…)` and later `x.eval()`."""
    modes = "True|False" if is_bare else "(?:True|False)?"
    made = rf"=\s*(?:\w+\.)*{name}\("
    switched = rf"^\s*(\w+)\s*{made}(?s:.*)\b\1\.(?:eval\(\)|train\((?:{modes})\))"
    return re.compile(rf"\A(?!(?s:.*)^\s*class {name}\b)(?s:.*?)(?:\bself\.\w+\s*{made}|{switched})", re.MULTILINE)


def _held(file: FileAnalysis) -> Iterator[Node]:
    """What becomes a part of a module: `self.part = x` in one, `nn.Sequential(x)`, `nn.ModuleList([x])`."""
    for model in file.classes():
        if model.is_module:
            yield from (value for each in model.assignments.values() for _, _, value in each if value is not None)
    for call in file.nodes(cst.Call):
        path = file.qualname(call.func) or ""
        if path.startswith("torch.nn.") and path.rpartition(".")[2][0].isupper():
            inside = (node for each in call.args for node in descendants(each.value) if isinstance(node, (cst.Name, cst.Call)))
            yield from (each for each in inside if not isinstance(file.parent(each), cst.Attribute))  # `self.width`


def _asked(file: FileAnalysis, method: cst.FunctionDef) -> Iterator[Node]:
    """What `train(mode)` or `eval()` of torch is called on."""
    own, is_bare = method.name.value, takes_nothing(method)
    for call in file.methods("train", "eval"):
        assert isinstance(call.func, cst.Attribute)
        says_mode = len(call.args) == 1 and literal(call.args[0].value) in (True, False)
        name = call.func.attr.value
        if name == own and not call.args and is_bare:
            continue  # its own, as it is meant
        if not call.args or name == "train" and says_mode:
            yield call.func.value


def _is_of(file: FileAnalysis, node: Node, model: ClassModel) -> bool:
    """Whether an expression is a module of this class, or of one that inherits from it."""
    if isinstance(node, cst.Name) and node.value == "self":
        around = next((each for each in file.ancestors(node) if isinstance(each, cst.ClassDef)), None)
        found = file.class_model(around) if around is not None else None
    else:
        known = file.value(node).cls
        found = known if isinstance(known, ClassModel) else None
    return found is not None and model in found.ancestry

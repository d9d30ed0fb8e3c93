"""Methods of modules that replace `torch.nn.Module.train` and `eval`, which others call by these names."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._switching import is_switched, takes_nothing
from torchlint.syntax.tree import descendants


def other_mode_methods(file: FileAnalysis) -> Iterator[tuple[ClassModel, cst.FunctionDef]]:
    """The methods `train` and `eval` of modules that cannot be called as torch's are, or mean something else, where torch's are called."""
    for model in file.classes():
        if not model.is_module:
            continue
        for name in ("train", "eval"):
            method = model.own_methods.get(name)
            if method is None or method.decorators or _passes_on(method, name) or _takes_the_same(method, name):
                continue
            if name == "train" and takes_nothing(method) and "eval" in model.own_methods:
                continue  # a pair of its own, called without a word
            if is_switched(file, model, method):
                yield model, method


def _takes_the_same(method: cst.FunctionDef, name: str) -> bool:
    """Whether a call `train()`, `train(False)` or `eval()` fits, and the mode is the only thing that it takes."""
    params = method.params
    if isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None:
        return True
    if any(each.default is None for each in params.kwonly_params):
        return False
    taken = [*params.posonly_params, *params.params][1:]
    if name == "eval":
        return all(each.default is not None for each in taken)
    if any(each.default is None for each in taken[1:]):
        return False
    return len(taken) > 0 and (taken[0].name.value in _MODE or _is_truth(taken[0]))


_MODE = frozenset("mode is_train training train is_training flag".split())


def _is_truth(param: cst.Param) -> bool:
    """A default of True or False, or an annotation `bool`."""
    written = param.annotation.annotation if param.annotation is not None else None
    return any(isinstance(each, cst.Name) and each.value in ("True", "False", "bool") for each in (param.default, written))


def _passes_on(method: cst.FunctionDef, name: str) -> bool:
    """Whether it calls the method that it replaces: `super().train(mode)`, `nn.Module.train(self, mode)`."""
    for node in descendants(method.body):
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in ("train", "eval"):
            of = node.func.value
            if isinstance(of, cst.Call) and isinstance(of.func, cst.Name) and of.func.value == "super":
                return True
            if isinstance(of, cst.Attribute) and of.attr.value == "Module":
                return True
    return False

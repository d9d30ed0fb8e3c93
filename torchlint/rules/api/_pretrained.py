"""Models of torchvision that are asked for with `pretrained`: which calls, and what their old arguments stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.torchvision import Legacy, legacy
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal

NEW = {"pretrained": "weights", "pretrained_backbone": "weights_backbone"}
_MODELS = "torchvision.models"


@dataclass(frozen=True)
class Old:
    """One old argument of a call."""

    call: cst.Call
    argument: cst.Arg
    name: str
    model: Legacy | None
    """None where the model is chosen at run time."""

    @property
    def new(self) -> str:
        return NEW[self.name]

    @property
    def weights(self) -> str | None:
        """What is written for the argument today: the name of the weights, `None`; None where that cannot be said."""
        given = literal(self.argument.value)
        if self.model is None:
            return "None" if given is False else None  # which all of them take
        named = self.model.weights if self.name == "pretrained" else self.model.backbone
        if not self.model.translates or (given is not False and not (given is True and named)):
            return None
        return f'"{named}"' if given else "None"

    @property
    def is_replaceable(self) -> bool:
        """Whether the new argument can stand in the place of the old one: nothing positional follows, nothing may pass it too."""
        place = next(place for place, each in enumerate(self.call.args) if each is self.argument)
        others = [each for each in self.call.args if each is not self.argument]
        if any(each.star or each.keyword is not None and each.keyword.value == self.new for each in others):
            return False
        return all(each.keyword is not None for each in self.call.args[place + 1 :])


def old(file: FileAnalysis) -> Iterator[Old]:
    for call in file.nodes(cst.Call):
        path = file.qualname(call.func)
        model = legacy(path) if path is not None and path.startswith("torchvision.") else None
        if model is None and not (path is None and _is_chosen(file, call.func)):
            continue
        first = call.args[0] if call.args and path is not None else None
        if first is not None and first.keyword is None and not first.star and isinstance(literal(first.value), bool):
            yield Old(call, first, "pretrained", model)
        for each in call.args:
            if each.keyword is not None and each.keyword.value in NEW:
                yield Old(call, each, each.keyword.value, model)


def _is_chosen(file: FileAnalysis, func: cst.BaseExpression) -> bool:
    """`models.__dict__[arch]`, `vars(models)[arch]`, `getattr(models, arch)`"""
    if isinstance(func, cst.Subscript):
        inner = func.value
        if isinstance(inner, cst.Attribute) and inner.attr.value == "__dict__":
            return _is_models(file, inner.value)
        return isinstance(inner, cst.Call) and _asks(inner, "vars") and _is_models(file, inner.args[0].value)
    return isinstance(func, cst.Call) and _asks(func, "getattr") and _is_models(file, func.args[0].value)


def _asks(call: cst.Call, name: str) -> bool:
    return isinstance(call.func, cst.Name) and call.func.value == name and bool(call.args)


def _is_models(file: FileAnalysis, node: cst.BaseExpression) -> bool:
    path = file.qualname(node)
    return path is not None and (path == _MODELS or path.startswith(f"{_MODELS}."))

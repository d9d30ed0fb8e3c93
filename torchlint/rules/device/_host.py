"""Whether a parameter called `device` is the CPU wherever the program in sight says which."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import spelled_out
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Place


def is_host(file: FileAnalysis, device: Node) -> bool:
    """Whether a device is a parameter that stands for the CPU by default, and none of its callers, at least one, passes another."""
    bindings = file.names.bindings(device) if isinstance(device, cst.Name) else []
    if len(bindings) != 1 or bindings[0].how is not Binds.PARAMETER:
        return False
    parameter = file.parent(bindings[0].node)
    function = file.function(parameter) if parameter is not None else None
    if not isinstance(parameter, cst.Param) or not isinstance(function, cst.FunctionDef) or parameter.default is None:
        return False
    owner = file.owner(function)
    name = owner.name if owner is not None and function.name.value == "__init__" else function.name.value
    if not _is_cpu(file, parameter.default) or file.is_written_elsewhere(re.compile(rf"(?<!\bdef )(?<!\bclass )\b{name}\s*\(")):
        return False
    named = [*function.params.posonly_params, *function.params.params]
    position = named.index(parameter) - (owner is not None) if parameter in named else None
    calls = list(_calls(file, function))
    return bool(calls) and all(_passes_cpu(file, call, parameter.name.value, position) for call in calls)


def _calls(file: FileAnalysis, function: cst.FunctionDef) -> Iterator[cst.Call]:
    owner = file.owner(function)
    if owner is None or function.name.value != "__init__":
        yield from callers.calls(file, function)
        return
    for use in file.tree.names.get(owner.name, ()):
        above = file.parent(use)
        if isinstance(above, cst.Call) and above.func is use and file.class_of(use) is owner:
            yield above


def _passes_cpu(file: FileAnalysis, call: cst.Call, name: str, position: int | None) -> bool:
    if any(arg.star for arg in call.args):
        return False
    given = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == name), None)
    positional = [arg.value for arg in call.args if arg.keyword is None]
    if given is None and position is not None and position < len(positional):
        given = positional[position]
    return given is None or _is_cpu(file, given)


def _is_cpu(file: FileAnalysis, node: Node) -> bool:
    if isinstance(node, cst.SimpleString):
        return spelled_out(node.value) == "cpu"
    value = file.value(node)
    return value.kind is Kind.DEVICE and value.place is Place.CPU

"""Which function of the project a call runs, and which of its parameters takes an argument."""

from __future__ import annotations

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.values.value import Kind, Value


def definition(file: FileAnalysis, call: cst.Call, called: Value) -> object:
    """The function that a call runs: one by name, a constructor, a method of the same object."""
    if isinstance(called.definition, ClassModel) and called.kind is Kind.CLASS:
        return called.definition.method("__init__")
    func = call.func
    if called.definition is None and isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name):
        holder = file.value(func.value).cls
        return holder.method(func.attr.value) if holder is not None else None
    return called.definition


def parameter(file: FileAnalysis, function: cst.FunctionDef, call: cst.Call, arg: cst.Arg) -> cst.Name | None:
    """The parameter that takes an argument."""
    named = [*function.params.posonly_params, *function.params.params]
    if arg.keyword is not None:
        word = arg.keyword.value
        return next((each.name for each in (*named, *function.params.kwonly_params) if each.name.value == word), None)
    position = call.args.index(arg) + (file.owner(function) is not None and not _is_static(function))
    before = call.args[: call.args.index(arg)]
    return named[position].name if position < len(named) and not any(each.star for each in (*before, arg)) else None


def _is_static(function: cst.FunctionDef) -> bool:
    return any(isinstance(each.decorator, cst.Name) and each.decorator.value == "staticmethod" for each in function.decorators)

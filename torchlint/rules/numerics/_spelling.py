"""How one operation of torch is called in place of another, in the form in which the other one is called."""

from __future__ import annotations

import libcst as cst

from torchlint.facts.operations import Form
from torchlint.model import FileModel
from torchlint.model.operations import Use

_ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript)


def called_instead(file: FileModel, use: Use, name: str, first: str, *rest: str) -> str | None:
    """The text of a call of `name` with these arguments, as function or method like `use`; None where nothing leads to the function."""
    if use.form is Form.METHOD:
        return f"{first}.{name}({', '.join(rest)})"
    function = beside(file, use.call.func, name)
    return None if function is None else f"{function}({', '.join((first, *rest))})"


def beside(file: FileModel, function: cst.BaseExpression, name: str) -> str | None:
    """Another name of `torch`, written as the function is that is called here: `th.empty` beside `th.cuda.FloatTensor`."""
    module: cst.BaseExpression = function
    while isinstance(module, cst.Attribute):
        module = module.value
        if file.qualname(module) == "torch":
            return f"{file.source(module)}.{name}"
    return file.spelling(f"torch.{name}", function)


def receiver(text: str) -> str:
    """An expression as it stands before a dot."""
    node = cst.parse_expression(f"({text})")
    return text if isinstance(node, _ATOMS) or len(node.lpar) > 1 else f"({text})"

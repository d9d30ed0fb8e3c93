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
    func = use.call.func
    if isinstance(func, cst.Attribute):
        function: str | None = f"{file.source(func.value, whole=True)}.{name}"
    else:
        function = file.spelling(f"torch.{name}", use.call)
    return None if function is None else f"{function}({', '.join((first, *rest))})"


def receiver(text: str) -> str:
    """An expression as it stands before a dot."""
    node = cst.parse_expression(f"({text})")
    return text if isinstance(node, _ATOMS) or len(node.lpar) > 1 else f"({text})"

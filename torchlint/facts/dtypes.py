"""Types of elements: the one name of each, and what kind of numbers they are.

Which names are types is declared; that two of them are one type, and which methods convert to one, is not.
"""

from __future__ import annotations

import re
from enum import Enum

from torchlint.facts.tensors import DTYPES

_SAME = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "short": "int16",
    "int": "int32",
    "long": "int64",
    "chalf": "complex32",
    "cfloat": "complex64",
    "cdouble": "complex128",
}
_METHODS = {"byte": "uint8", "char": "int8"}
"""Methods that convert and are not called like a type."""


class Numbers(Enum):
    """What kind of numbers a type holds."""

    FLOATING = "floating point"
    COMPLEX = "complex"
    INTEGER = "integer"
    BOOL = "bool"


_BEGINNING = re.compile("(?P<FLOATING>b?float)|(?P<COMPLEX>b?complex)|(?P<INTEGER>u?int)|(?P<BOOL>bool)")


def dtype(path: str) -> str | None:
    """The one name of the type that a dotted name stands for: `int64` for `torch.long`; None for what is no type."""
    name = path.removeprefix("torch.")
    return _SAME.get(name, name) if path in DTYPES else None


def converted(method: str) -> str | None:
    """The type that a method of tensors converts to: `x.long()`; None for one that does not."""
    return _METHODS.get(method) or dtype(f"torch.{method}")


def numbers(name: str) -> Numbers | None:
    """What a type holds, by its one name; None for quantized types and raw bits."""
    found = _BEGINNING.match(name)
    return Numbers[found.lastgroup] if found is not None and found.lastgroup is not None else None

"""What `torch.range(start, end, step)` is as a `torch.arange`, or as a `torch.linspace` where the steps are no whole numbers.

`torch.range` includes its end and yields floats of the default type, whatever it is given. Of whole numbers that are spelt out the
elements are known here, and `arange` over floats yields just them, in the same type. Where `end` is an expression, one more step
is right if its value is a whole number. Between steps that are no whole numbers, `arange` rounds in another way than `range` does, and
may even end elsewhere; `linspace` hits the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import libcst as cst

from torchlint import rewrite
from torchlint.facts.signatures import signatures
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import UNSAFE, Fix
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.binding import Bound, bind_any

_EXACT, _EXACT_IN_WIDE = 2**8, 2**24
"""Up to here every whole number has a float of its own, in any type (`bfloat16` may be the default) and in those of 32 bits or more."""
_WIDE = frozenset(f"torch.{name}" for name in "float float32 double float64 int int32 long int64".split())
_TYPED = frozenset({"dtype", "out"})


@dataclass(frozen=True, slots=True)
class _Range:
    file: FileAnalysis
    call: cst.Call
    given: Bound

    @property
    def numbers(self) -> list[int | float] | None:
        """Start, end and step where all three are spelt out."""
        found = [literal(self.given[name]) if name in self.given else 1 for name in ("start", "end", "step")]
        numbers = [each for each in found if isinstance(each, (int, float)) and not isinstance(each, bool)]
        return numbers if len(numbers) == len(found) and numbers[2] != 0 else None

    @property
    def is_typed(self) -> bool:
        return bool(_TYPED & self.given.given.keys())

    @property
    def converted(self) -> cst.Call | None:
        """`torch.range(…).long()`: made of whole numbers, `arange` yields them as they are."""
        above = self.file.parent(self.call)
        outer = self.file.parent(above) if isinstance(above, cst.Attribute) and above.attr.value == "long" else None
        is_plain = isinstance(outer, cst.Call) and outer.func is above and not outer.args and "requires_grad" not in self.given
        return outer if isinstance(outer, cst.Call) and is_plain and not self.is_typed else None


def is_range(call: cst.Call) -> bool:
    """Whether torch would take the call: it has a start and an end, and nothing is spread from elsewhere."""
    given = bind_any(call, signatures("torch.range"))
    return given.fits and not given.is_spread


def without_range(file: FileAnalysis, call: cst.Call) -> Fix | None:
    """The same tensor by another function; None where no short one is sure to be it."""
    found = _Range(file, call, bind_any(call, signatures("torch.range")))
    numbers = found.numbers
    if numbers is None:
        return _symbolic(found)
    if (numbers[1] - numbers[0]) / numbers[2] < 0 or not all(map(math.isfinite, numbers)):
        return None  # it raises
    if all(isinstance(each, int) for each in numbers):
        return _whole(found, *map(int, numbers))
    return _between(found, *numbers)


def _whole(found: _Range, start: int, end: int, step: int) -> Fix:
    stop = start + (end - start) // step * step + step
    fix = _named(found, "arange")
    outer = found.converted
    if outer is not None:
        fix += rewrite.unwrap_method(outer)
    values = {"start": start, "end": stop, "step": step}
    for name, value in values.items():
        node = found.given[name]
        text = str(value) if outer is not None or found.is_typed else str(float(value))
        if node is not None and text != found.file.source(node):
            fix += rewrite.replace(node, text)
    dtype = found.given["dtype"]
    exact = _EXACT_IN_WIDE if dtype is not None and found.file.qualname(dtype) in _WIDE else _EXACT
    return fix if max(abs(start), abs(stop)) <= exact else fix.at_most(UNSAFE)


def _between(found: _Range, start: float, end: float, step: float) -> Fix | None:
    """`linspace` where the end is on the grid, and it is the last element indeed."""
    steps = math.floor((end - start) / step)
    node = found.given["step"]
    if node is None or steps < 1 or abs(start + steps * step - end) > abs(step) * 1e-6 or found.is_typed:
        return None
    return (_named(found, "linspace") + _renamed(found, node, "steps") + rewrite.replace(node, str(steps + 1))).at_most(UNSAFE)


def _symbolic(found: _Range) -> Fix | None:
    """One more step, where steps are of one whole number and the end may be one."""
    start, end, step = (found.given[name] for name in ("start", "end", "step"))
    by = 1 if step is None else literal(step)
    first = literal(start)
    if start is None or end is None or by not in (1, -1) or isinstance(by, (bool, float)) or not isinstance(first, int) or _is_float(end):
        return None
    fix = _named(found, "arange") + _further(found.file, end, by > 0)
    outer = found.converted
    if outer is not None:
        return (fix + rewrite.unwrap_method(outer)).at_most(UNSAFE)
    return (fix if found.is_typed else fix + rewrite.replace(start, str(float(first)))).at_most(UNSAFE)


def _further(file: FileAnalysis, end: cst.BaseExpression, up: bool) -> Fix:
    """`n` for `n - 1`, and `n + 1` for `n`."""
    back, further = (cst.Subtract, "{} + 1") if up else (cst.Add, "{} - 1")
    if isinstance(end, cst.BinaryOperation) and isinstance(end.operator, back) and literal(end.right) == 1:
        return rewrite.replace(end, file.text[slice(*file.positions.full_span(end.left))])
    return rewrite.wrap(end, further)


def _is_float(node: Node) -> bool:
    """Whether an expression speaks of fractions."""
    return any(
        isinstance(each, cst.Float) or isinstance(each, cst.BinaryOperation) and isinstance(each.operator, cst.Divide)
        for each in descendants(node)
    )


def _named(found: _Range, name: str) -> Fix:
    """The call of another function of torch, reached as this one is."""
    file, func = found.file, found.call.func
    if isinstance(func, cst.Attribute):
        return rewrite.rename_attribute(func, name)
    spelt = file.spelling(f"torch.{name}", found.call)
    if spelt is not None:
        return rewrite.replace(func, spelt)
    return rewrite.replace(func, name) + rewrite.add_from_import("torch", name)


def _renamed(found: _Range, node: cst.BaseExpression, name: str) -> Fix:
    """Another keyword for an argument that has one."""
    argument = found.file.parent(node)
    return rewrite.rename_keyword(argument, name) if isinstance(argument, cst.Arg) and argument.keyword is not None else Fix(())

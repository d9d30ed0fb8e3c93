"""Calls as operations of torch: the same one in all its forms, with its arguments by name and with what is declared of it.

`F.softmax(x, 1)`, `x.softmax(dim=1)` and `nn.Softmax(1)(x)` are one operation. What is not positively known to be torch's is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.operations import Form, Operation, operation
from torchlint.program.analysis import FileAnalysis
from torchlint.values.binding import Bound, bind_any
from torchlint.values.value import Kind, Value


@dataclass(eq=False)
class Use:
    """One call of an operation."""

    file: FileAnalysis
    call: cst.Call
    operation: Operation
    receiver: cst.BaseExpression | None
    """What a method is called on; of a module, what is called."""

    @property
    def name(self) -> str:
        """The same for all forms: `softmax`."""
        return self.operation.name

    @property
    def form(self) -> Form:
        return self.operation.form

    @cached_property
    def arguments(self) -> Bound:
        """By the operation's own parameters; of a module, only its inputs are arguments, what it was built with is `made_with`."""
        first = self.receiver if self.form is Form.METHOD else None
        signatures = self.operation.signatures
        if self.form is Form.MODULE:
            forward = operation(f"torch.nn.functional.{self.name}") or operation(f"torch.{self.name}")
            signatures = forward.signatures if forward is not None else ()
        elif self.form is Form.METHOD:
            function = operation(f"torch.{self.name}") or operation(f"torch.nn.functional.{self.name}")
            signatures = function.signatures if function is not None else signatures
        return bind_any(self.call, signatures, first)

    @cached_property
    def made_with(self) -> Bound | None:
        """Of a module whose construction is in sight: what it was built with."""
        value = self.file.value(self.receiver) if self.form is Form.MODULE and self.receiver is not None else None
        made = value.node if value is not None else None
        return bind_any(made, self.operation.signatures) if isinstance(made, cst.Call) else None

    def value(self, name: str) -> Value | None:
        """What is known of an argument; None where it was not certainly given."""
        node = self.arguments[name]
        return self.file.value(node) if node is not None else None

    def literal(self, name: str) -> object:
        """What an argument spells out, be it given to the call or to the module's constructor; `...` where it does not."""
        found = self.arguments.literal(name)
        return self.made_with.literal(name) if found is ... and self.made_with is not None else found

    def may_have(self, name: str) -> bool:
        """Whether an argument was given, or may have been: in `*`, in `**`, or to a constructor out of sight."""
        if self.arguments.may_have(name):
            return True
        return self.form is Form.MODULE and (self.made_with is None or self.made_with.may_have(name))


def use(file: FileAnalysis, call: cst.Call) -> Use | None:
    """The operation that a call is, or None."""
    return file.once(_Operations).use(call)


def uses(file: FileAnalysis, *names: str) -> Iterator[Use]:
    """Every call of these operations in any form, in document order."""
    known = file.once(_Operations)
    candidates = {call: None for name in names for call in known.candidates.get(name, ())}
    for call in sorted(candidates, key=file.tree.order.__getitem__):
        found = known.use(call)
        if found is not None and found.name in names:
            yield found


class _Operations:
    """The calls of one file by what they may be. What a call is depends on values, and is found out when it is first asked for."""

    def __init__(self, file: FileAnalysis) -> None:
        self.file = file
        self._uses: dict[cst.Call, Use | None] = {}
        self.candidates: dict[str, list[cst.Call]] = {}
        """By the name of an operation: the calls of such functions, and of methods of that name."""
        for call in file.nodes(cst.Call):
            path, func = file.qualname(call.func), call.func
            if path is None and not isinstance(func, cst.Attribute):
                continue
            found = operation(path if path is not None else f"torch.Tensor.{func.attr.value}")  # type: ignore[attr-defined]
            if found is not None:
                self.candidates.setdefault(found.name, []).append(call)
        for module in self._of_modules():
            self.candidates.setdefault(module.name, []).append(module.call)

    def _of_modules(self) -> Iterator[Use]:
        """The calls of torch's own modules: `layer(x)`, `self.layer(x)`, `nn.Softmax(1)(x)`."""
        for call in self.file.nodes(cst.Call):
            func = call.func
            if not isinstance(func, cst.Attribute) or isinstance(func.value, cst.Name):
                found = self.use(call) if self.file.qualname(func) is None else None
                if found is not None and found.form is Form.MODULE:
                    yield found

    def use(self, call: cst.Call) -> Use | None:
        if call not in self._uses:
            self._uses[call] = self._find(call)
        return self._uses[call]

    def _find(self, call: cst.Call) -> Use | None:
        file = self.file
        path = file.qualname(call.func)
        if path is not None:
            found = operation(path)
            return Use(file, call, found, None) if found is not None and found.form is Form.FUNCTION else None
        if isinstance(call.func, cst.Attribute) and file.value(call.func.value).is_tensor:
            found = operation(f"torch.Tensor.{call.func.attr.value}")
            return Use(file, call, found, call.func.value) if found is not None else None
        module = file.value(call.func)
        if module.kind is Kind.MODULE and module.qualname is not None and module.cls is None:
            found = operation(module.qualname)
            return Use(file, call, found, call.func) if found is not None and found.form is Form.MODULE else None
        return None


def discarded(file: FileAnalysis) -> Iterator[cst.Call]:
    """Calls that stand alone as a statement: whatever they return is thrown away."""
    for statement in file.nodes(cst.Expr):
        call = statement.value.expression if isinstance(statement.value, cst.Await) else statement.value
        if isinstance(call, cst.Call):
            yield call

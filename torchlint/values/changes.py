"""What the calls of libraries change in place: tensors' own methods, functions that end in `_` or are told where to write, modules.

Operators and assignments change what they are given in `torchlint.values.statements`, the project's own functions in
`torchlint.values.following`.
"""

from __future__ import annotations

import libcst as cst

from torchlint.facts.tensors import CLIPPING, IN_PLACE
from torchlint.syntax.literals import literal
from torchlint.values.arguments import Arguments
from torchlint.values.flow import Flow
from torchlint.values.memory import writes_over_input
from torchlint.values.value import Kind, Value


def by_function(flow: Flow, call: cst.Call, path: str, arguments: Arguments) -> None:
    """`torch.add(x, y, out=z)`, `torch.nn.init.zeros_(x)`, `F.relu(x, inplace=True)`"""
    if not path.startswith("torch."):
        return
    changed = arguments.keywords.get("out")
    if path[-1] == "_" and path not in CLIPPING or literal(arguments.node("inplace")) is True:
        changed = next(iter(arguments.values), None)
    if changed is not None:
        flow.change(call, changed, recorded=not path.startswith("torch.nn.init."))


def by_method(flow: Flow, call: cst.Call, name: str, receiver: Value) -> None:
    """`x.add_(y)`"""
    if name[-1] == "_" and name in IN_PLACE:
        flow.change(call, receiver)


def by_module(flow: Flow, call: cst.Call, module: Value | None, arguments: Arguments) -> None:
    """`nn.ReLU(inplace=True)(x)`"""
    if module is not None and module.kind is Kind.MODULE and arguments.positional and writes_over_input(module):
        flow.change(call, arguments.positional[0])

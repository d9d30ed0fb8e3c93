"""A module given to an optimizer in the place of its parameters."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, rule
from torchlint.rules.training._optimizers import built
from torchlint.values.value import Kind, Value

_YIELDS_PARAMETERS = frozenset("torch.nn.ParameterList torch.nn.ParameterDict".split())


@rule("TL217", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("optim",))
def check(file: FileModel) -> Iterator[Finding]:
    for optimizer in built(file.analysis):
        for given in _given(file, optimizer.call):
            module = file.value(given)
            if module.kind is not Kind.MODULE or _may_yield_parameters(module):
                continue
            is_certain = module.cls is not None or module.qualname is not None
            yield Finding(
                given,
                f"`{file.source(given)}` is a module: the optimizer wants parameters, and raises a TypeError",
                help=f"give it `{file.source(given)}.parameters()`",
                fix=rewrite.method(given, "parameters").saying("give the optimizer the parameters").at_most(SAFE if is_certain else UNSAFE),
            )


def _given(file: FileModel, call: cst.Call) -> Iterator[cst.BaseExpression]:
    """What the optimizer is to train: its first argument, or what stands for the parameters in each of several groups."""
    named = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "params"), None)
    first = call.args[0] if call.args else None
    given = named or (first.value if first is not None and first.keyword is None and not first.star else None)
    if not isinstance(given, (cst.List, cst.Tuple)):
        yield from [given] if given is not None else []
        return
    for group in given.elements:
        for entry in group.value.elements if isinstance(group.value, cst.Dict) else ():
            if isinstance(entry, cst.DictElement) and file.literal(entry.key) == "params":
                yield entry.value


def _may_yield_parameters(module: Value) -> bool:
    """Whether iterating over the module may be what is wanted."""
    if module.cls is not None:
        return module.cls.is_open or module.cls.method("__iter__") is not None
    return module.qualname in _YIELDS_PARAMETERS

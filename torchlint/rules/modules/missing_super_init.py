"""A module whose constructor never calls that of `torch.nn.Module`."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, Fix, rule
from torchlint.rules.modules._constructors import first_statement, is_plain_module, lacks_base_constructor, takes_nothing

_CALL = "super().__init__()"


@rule("TL304", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("__init__",))
def check(file: FileModel) -> Iterator[Finding]:
    for model in file.classes():
        constructor = lacks_base_constructor(model)
        if constructor is None:
            continue
        yield Finding(
            constructor.name,
            f"the constructor of `{model.name}` never calls that of `torch.nn.Module`: assigning a layer raises, and so does a call",
            help=f"call `{_CALL}` first",
            fix=_call_first(constructor).at_most(SAFE if is_plain_module(model) else UNSAFE) if takes_nothing(model) else None,
        )


def _call_first(constructor: cst.FunctionDef) -> Fix:
    first = first_statement(constructor)
    fix = rewrite.insert_before(first, _CALL) if first is not None else rewrite.insert_after(constructor.body.body[0], _CALL)
    return fix.saying(f"call `{_CALL}` first")

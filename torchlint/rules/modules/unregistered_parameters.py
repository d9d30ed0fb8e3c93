"""Parameters in a plain Python container, where the module that owns them cannot see them."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.modules._parameters import HeldParameters, held_parameters


@rule("TL302", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("Parameter",))
def check(file: FileModel) -> Iterator[Finding]:
    for held in held_parameters(file.analysis):
        store = held.stores[0]
        wrapper = "ParameterDict" if store.shape in ("dict", "defaultdict") else "ParameterList"
        obstacle = held.obstacle
        yield Finding(
            store.value,
            f"the parameters in `{file.source(store.target)}` are hidden in a plain {store.shape}: "
            "`parameters()`, `state_dict()` and `to()` do not find them",
            help=f"use `nn.{wrapper}`" + (f"; by hand, because {obstacle}" if obstacle else ""),
            fix=None if obstacle else _wrap(file, held, wrapper),
        )


def _wrap(file: FileModel, held: HeldParameters, wrapper: str) -> Fix:
    name, fix = file.spelling(f"torch.nn.{wrapper}", held.stores[0].value), Fix(())
    if name is None:
        name, fix = f"nn.{wrapper}", rewrite.add_from_import("torch", "nn")
    for store in held.stores:
        fix += rewrite.replace(store.value, f"{name}()") if store.is_empty else rewrite.wrap(store.value, name + "({})")
        statement = file.parent(store.target)
        if isinstance(statement, cst.AnnAssign):
            fix += rewrite.replace(statement.annotation.annotation, name)
    return fix.saying(f"register the parameters with `{name}`")

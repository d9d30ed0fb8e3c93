"""Layers in a plain Python container, where the module that owns them cannot see them."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, Fix, rule
from torchlint.rules.modules._containers import HeldModules, held_modules, is_given, is_unused
from torchlint.rules.modules._reach import Surroundings, is_doubtful, is_trained_by_hand
from torchlint.rules.modules._wrapping import obstacle_of


@rule("TL301", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("Module", "nn."))
def check(file: FileModel) -> Iterator[Finding]:
    around = Surroundings(file.analysis)
    for held in held_modules(file.analysis):
        wrapper = "ModuleDict" if held.stores[0].shape in ("dict", "defaultdict") else "ModuleList"
        obstacle = obstacle_of(held)
        yield Finding(
            held.stores[0].value,
            f"the layers in `{file.source(held.stores[0].target)}` are hidden in a plain {held.stores[0].shape}: "
            f"they are not {'' if is_trained_by_hand(held) else 'trained, '}saved, moved or put in eval mode",
            help=f"use `nn.{wrapper}`" + (f"; by hand, because {obstacle}" if obstacle else ""),
            fix=None if obstacle else _wrap(file, held, wrapper).at_most(UNSAFE if is_doubtful(held, around) else SAFE),
            related=tuple(held.evidence()),
            # On purpose; or nobody knows whether they have weights; or nobody calls them.
            is_for_askers=is_trained_by_hand(held) or is_given(held) or is_unused(held),
        )


def _wrap(file: FileModel, held: HeldModules, wrapper: str) -> Fix:
    """Every assignment of the attribute, or the others would raise."""
    name, fix = file.spelling(f"torch.nn.{wrapper}", held.stores[0].value), Fix(())
    if name is None:
        name, fix = f"nn.{wrapper}", rewrite.add_from_import("torch", "nn")
    for store in held.stores:
        fix += rewrite.replace(store.value, f"{name}()") if store.is_empty else rewrite.wrap(store.value, name + "({})")
        statement = file.parent(store.target)
        if isinstance(statement, cst.AnnAssign):
            fix += rewrite.replace(statement.annotation.annotation, name)
    return fix.saying(f"register the layers with `{name}`")

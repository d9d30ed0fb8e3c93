"""A tensor stored in every iteration together with its graph."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.autograd._retention import Store, stores
from torchlint.values.value import Kind


@rule("TL101", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=("backward", "eval()", "Module"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for store in stores(file.analysis):
        if not store.kept.has_graph or store.kept.leaf:
            continue  # a number, a detached tensor, made where gradients are off, a parameter itself; or nothing is known of it
        if not store.keeps_tensors or not store.iterates_over_data:
            continue  # a numpy array takes the number out; a comprehension over layers or parameters ends with them
        if store.is_differentiated:
            continue  # collected on purpose, for a backward over all of it
        if not store.is_spent and (store.escapes or store.is_windowed):
            continue  # whoever gets the container may still differentiate what is in it; or it is emptied now and then
        yield Finding(
            store.value,
            f"`{file.source(store.target)}` keeps the autograd graph of every iteration alive",
            help="store the number" if _as_number(store) else "store the detached tensor",
            fix=_fix(store),
        )


def _as_number(store: Store) -> bool:
    return store.kept.scalar and store.takes_numbers


def _fix(store: Store) -> Fix | None:
    if store.kept.kind not in (Kind.TENSOR, Kind.UNKNOWN):
        return None  # a tuple of tensors has no method that detaches them
    fix = rewrite.method(store.value, "item" if _as_number(store) else "detach")
    return fix if store.kept.is_tensor and not store.may_be_nothing else fix.at_most(UNSAFE)

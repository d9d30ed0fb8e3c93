"""A tensor stored in every iteration together with its graph."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.autograd._evidence import evidence
from torchlint.rules.autograd._meters import Handed, handed
from torchlint.rules.autograd._stores import Store, stores
from torchlint.values.value import Kind


@rule("TL101", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=("backward", "eval()", "nn"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    kept: list[Store | Handed] = [*stores(file.analysis), *handed(file.analysis, sums=False)]
    for store in kept:
        if not store.kept.holds_graph or store.kept.leaf or store.is_doubtful or store.is_secondhand:
            continue  # a number, a detached tensor, made where gradients are off, a parameter itself; or nothing is known of it
        if not store.keeps_tensors or not store.iterates_over_data:
            continue  # a numpy array takes the number out; a comprehension over layers or parameters ends with them
        if isinstance(store, Store) and store.is_carried:
            continue  # the next iteration computes with it: its graph goes on, stored or not
        if store.is_bounded or store.is_differentiated or store.is_inspected or store.is_converted or store.is_fed_back:
            continue  # of one accumulation window; for a backward over all of it, or its own gradient; made a number a moment later; used
        if not store.is_spent and (
            not store.is_recorded or store.escapes and not store.is_measured or store.is_windowed or store.is_awaited
        ):
            continue  # whoever gets the container may differentiate what is in it, or a later backward does; or it is emptied
        number = _as_number(store)
        yield Finding(
            store.value,
            f"`{file.source(store.target)}` keeps the autograd graph of every iteration alive{store.through}",
            help="store the number" if number else "store the detached tensor",
            fix=_fix(store, as_number=number),
            related=evidence(store),
            is_for_askers=isinstance(store, Store) and store.is_on_host,
            alternatives=tuple(filter(None, [_other(store, as_number=number)])),
        )


def _as_number(store: Store | Handed) -> bool:
    return store.kept.scalar and store.keeps_meaning and store.takes_numbers


def _other(store: Store | Handed, *, as_number: bool) -> Fix | None:
    """The tensor without its graph where the number is stored, and the number of a scalar where the tensor is."""
    if as_number:
        return rewrite.method(store.value, "detach").at_most(UNSAFE).saying("store the detached tensor")
    if store.kept.scalar and store.kept.is_tensor:
        return rewrite.method(store.value, "item").at_most(UNSAFE).saying("store the number")
    return None


def _fix(store: Store | Handed, *, as_number: bool) -> Fix | None:
    if store.kept.kind not in (Kind.TENSOR, Kind.UNKNOWN):
        return None  # a tuple of tensors has no method that detaches them
    fix = rewrite.method(store.value, "item" if as_number else "detach")
    is_certain = store.kept.is_tensor and not store.through and not store.may_be_nothing and store.keeps_meaning and store.is_confined
    return fix if is_certain else fix.at_most(UNSAFE)

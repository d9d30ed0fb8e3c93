"""Which keywords torch's functions, methods and constructors take, in any version and in any overload."""

from collections.abc import Sequence
from functools import lru_cache

from torchlint.facts.absent import is_told, similar
from torchlint.facts.signatures import Kind, Signature, former_parameters, signatures
from torchlint.facts.versions import Range, usual

_ALIASES = frozenset("axis keepdims x a x1 x2".split())
"""NumPy's words for `dim`, `keepdim`, `input` and `other`: whatever is made in C takes them too, though nothing declares it."""

_SYNONYMS = {
    "axis": "dim",
    "keepdims": "keepdim",
    "learning_rate": "lr",
    "clip_norm": "max_norm",
    "max_grad_norm": "max_norm",
    "rate": "p",
    "prob": "p",
    "filters": "out_channels",
    "units": "out_features",
    "epsilon": "eps",
}
"""Words of NumPy, Keras and TensorFlow."""

_FACTORY = frozenset("out dtype layout device pin_memory requires_grad memory_format generator names".split())
"""What functions that make tensors take, some of them without a declaration."""

_UNSURE = ("torch.distributed.checkpoint", "torch.distributed.device_mesh", "torch.distributed.elastic", "torch.sparse")
"""Modules that define a function twice, one of them for type checkers, or a class that is only made through another one."""


@lru_cache(maxsize=4096)
def keywords(path: str) -> frozenset[str] | None:
    """All keywords that some version takes; None where nothing is declared, or any keyword is taken."""
    path = usual(path)
    owner, _, last = path.rpartition(".")
    found = signatures(path) if _is_known(owner) else ()
    if not found or last.startswith("_") or any(each.kind is Kind.VAR_KEYWORD for one in found for each in one.parameters):
        return None
    names = {each.name for one in found for each in one.parameters} | set(former_parameters(path))
    in_c = frozenset() if owner in ("torch.nn", "torch.optim", "torch.utils.data") else _ALIASES | _FACTORY
    return frozenset(names) | in_c


def meant(word: str, known: Sequence[Signature], allowed: Range) -> list[str]:
    """The parameters that are the same word spelt otherwise, or, if there is none, begin with it: `kernel` is the `kernel_size`."""
    names = {each.name: None for one in known for each in one.parameters if allowed.all_have(each.presence)}
    names = {name: None for name in names if not name.startswith("_")}
    found = similar(word, list(names))
    return found or [
        name for name in names if word in (f"{name}s", name.removesuffix("s")) or len(word) > 3 and name.startswith(f"{word}_")
    ]


def synonym(word: str, known: Sequence[Signature]) -> str | None:
    """What another library's word is called here."""
    name = _SYNONYMS.get(word)
    return name if name is not None and any(name in each for each in known) else None


def _is_known(owner: str) -> bool:
    return not owner.startswith(_UNSURE) and (is_told(owner) or is_told(owner.rpartition(".")[0]))

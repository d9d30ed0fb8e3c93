"""Which names no version of torch has, so that whoever writes one misspelt it, or looks for it in the wrong place.

The tables know what modules declare. Where a module makes names at run time, or another library adds some, nothing is said.
"""

from functools import lru_cache

from torchlint.facts.asked import Asked
from torchlint.facts.changes import changes
from torchlint.facts.classes import TENSOR, derives
from torchlint.facts.declared import Presence, table
from torchlint.facts.signatures import bases
from torchlint.facts.versions import Range, may_exist, names_in, presence, usual

_OPEN = tuple(
    """torch.ao torch.backends.python_native torch.classes torch.contrib torch.distributed.rpc torch.fx torch.monitor torch.multiprocessing
    torch.nn.intrinsic torch.nn.qat torch.nn.quantizable torch.nn.quantized torch.onnx torch.ops torch.package torch.quantization
    torch.return_types torch.testing torch.torch_version torch.utils.checkpoint torch.utils.hipify
    torch.version torch.xpu""".split()
)
"""Modules, with all below them, that make names at run time, take those of a module outside torch, or are added to by other libraries."""

_SWITCHED = "cudnn cudnn.rnn miopen mkldnn opt_einsum quantized xnnpack".split()
_UNDECLARED = frozenset(
    {
        *(f"torch.sparse.{kind}Tensor" for kind in "BFloat16 Byte Char Double Float Half Int Long Short".split()),
        *(f"torch.backends.{name}.m" for name in _SWITCHED),
        "torch.backends.m",
    }
)
"""Types that are made in C without a stub; and the modules that stand behind `torch.backends`, whose flags are properties."""

_BACKENDS = frozenset(
    "dipu dml gcu hpu ipex iluvatar maca mlu mtgpu musa neuron npu privateuseone privateuse1 ptpu sdaa spyre supa tpu vacc xla".split()
)
"""Devices of other makers, whose libraries add a module of that name to torch, and methods to its tensors and modules."""

_HOMES = """torch torch.nn torch.nn.functional torch.nn.init torch.nn.utils torch.nn.utils.rnn torch.optim torch.optim.lr_scheduler
torch.utils.data torch.linalg torch.autograd torch.cuda torch.distributed torch.nn.parallel torch.distributions torch.Tensor""".split()
"""Where people look for a name, the likeliest first."""


@lru_cache(maxsize=4096)
def is_absent(path: str) -> bool:
    """Whether torch has the module or class that a dotted name is asked of, and no version of it the name, in whichever spelling."""
    owner, _, last = path.rpartition(".")
    if owner.partition(".")[0] != "torch" or any(part.startswith("_") for part in path.split(".")):
        return False
    if may_exist(path) or not is_told(usual(owner)):
        return False
    return not _existed(owner, last) and path not in changes() and path not in _UNDECLARED and last.removeprefix("is_") not in _BACKENDS


ABSENT = Asked(is_absent)
"""All names that no version of torch has."""


@lru_cache(maxsize=512)
def near(path: str, allowed: Range) -> tuple[str, ...]:
    """The names beside one that torch does not have which are the same word: but for case and underscores, else but for one letter."""
    owner, _, last = path.rpartition(".")
    owner = usual(owner)
    beside = [other for other in names_in(owner) if allowed.all_have(presence(f"{owner}.{other}") or Presence(()))]
    found = similar(last, beside)
    return tuple(f"{owner}.{other}" for other in found)


def elsewhere(path: str) -> tuple[str, ...]:
    """Where torch has the very name that a module or class of it lacks."""
    owner, _, last = path.rpartition(".")
    twin = owner.replace("torch.backends.", "torch.")  # `torch.mps.empty_cache`, for `torch.backends.mps.empty_cache`
    if twin != owner and last in names_in(twin):
        return (f"{twin}.{last}",)
    return tuple(f"{home}.{last}" for home in _HOMES if last in names_in(home))


def similar(word: str, others: list[str]) -> list[str]:
    """Those of the words that differ in case and underscores alone; if there is none, in one letter, or two that changed places."""
    folded = _folded(word)
    same = [other for other in others if _folded(other) == folded]
    if same or len(word) < 5:
        return [other for other in same if other[0].isupper() == word[0].isupper()] or same
    return [other for other in others if _is_slip(word, other)] or [other for other in others if _is_slip(folded, _folded(other))]


def _folded(word: str) -> str:
    """`Mod_List` and `modlist` are one word; the underscore behind a function that works in place is a part of it."""
    return word.lower().rstrip("_").replace("_", "") + ("_" if word.endswith("_") else "")


def _is_slip(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or a[:2] == b[1::-1] and a[2:] == b[2:]


@lru_cache(maxsize=512)
def is_told(owner: str) -> bool:
    """Whether all public names of a module or class stand in the tables."""
    if any(owner == name or owner.startswith(f"{name}.") for name in _OPEN):
        return False
    if bases(owner) is not None:
        return derives(owner, TENSOR) and owner.count(".") == 1
    return presence(owner) is not None and bool(names_in(owner))


def _existed(owner: str, last: str) -> bool:
    """Whether torch 1 had the name."""
    return last in _former(owner) or last in _former(usual(owner))


@lru_cache(maxsize=512)
def _former(section: str) -> frozenset[str]:
    found = table("former.txt").section(section)
    return frozenset(found[1].split()) if found is not None else frozenset()

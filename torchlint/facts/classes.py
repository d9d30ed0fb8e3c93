"""What the instances of imported classes are, by what the classes inherit from, and what torch's modules and constants are made of.

Read off PyTorch's declarations; what other libraries offer is typed, since nothing that is read here declares it.
"""

from functools import cache, lru_cache

from torchlint.facts.declared import table
from torchlint.facts.signatures import bases, signatures

MODULE = "torch.nn.Module"
OPTIMIZER = "torch.optim.Optimizer"
SCHEDULER = "torch.optim.lr_scheduler.LRScheduler"
SCALER = "torch.GradScaler"
LOADER = "torch.utils.data.DataLoader"
DATASET = "torch.utils.data.Dataset"
SAMPLER = "torch.utils.data.Sampler"
DISTRIBUTION = "torch.distributions.Distribution"
MANAGER = "accelerate.Accelerator"
TENSOR = "torch.Tensor"
PARAMETER = "torch.nn.Parameter"
DEVICE = "torch.device"
DTYPE = "torch.dtype"
GENERATOR = "torch.Generator"
ARRAY = "numpy.ndarray"

_ROOTS = frozenset(
    {MODULE, OPTIMIZER, SCHEDULER, SCALER, LOADER, DATASET, SAMPLER, DISTRIBUTION, MANAGER, TENSOR, DEVICE, DTYPE, GENERATOR, ARRAY}
)

_UNDECLARED = {
    "torch.amp.GradScaler": SCALER,  # the spelling to keep: `torch.GradScaler` is younger
    **dict.fromkeys(
        """lightning.pytorch.LightningModule lightning.fabric.wrappers._FabricModule transformers.PreTrainedModel
        transformers.modeling_utils.PreTrainedModel torch_geometric.nn.MessagePassing gpytorch.models.ExactGP gpytorch.Module
        timm.models.vision_transformer.VisionTransformer""".split(),
        MODULE,
    ),
    **dict.fromkeys("torchdata.stateful_dataloader.StatefulDataLoader torch_geometric.loader.DataLoader".split(), LOADER),
    **dict.fromkeys("accelerate.accelerator.Accelerator lightning.fabric.Fabric".split(), MANAGER),
}
"""Classes of other libraries, and spellings, that the declarations of PyTorch do not tell."""

_PACKAGES = {"torch.nn": MODULE, "torch.optim": OPTIMIZER, "torch.optim.lr_scheduler": SCHEDULER}
"""What a class is of which nothing is declared: private, or newer than the tables."""


@lru_cache(maxsize=4096)
def root(path: str) -> str | None:
    """What an instance of an imported class is: the most general class of its kind, `torch.optim.Optimizer` for `torch.optim.Adam`."""
    known = _UNDECLARED.get(path)
    if known is not None or path in _ROOTS:
        return known or path
    declared = bases(path)
    if declared is not None:
        return next((found for base in declared if (found := root(base)) is not None), None)
    package, _, name = path.rpartition(".")
    return _PACKAGES.get(package) if name.lstrip("_")[:1].isupper() else None


def names_of(ancestor: str) -> frozenset[str]:
    """The class itself, and what counts as one in other libraries."""
    return frozenset({ancestor, *(name for name, known in _UNDECLARED.items() if known == ancestor)})


def derives(path: str, ancestor: str) -> bool:
    """Whether a class is declared to be another one, or to inherit from it."""
    return path == ancestor or any(derives(base, ancestor) for base in bases(path) or ())


def forwarded(path: str) -> str | None:
    """What calling a module returns, as its `forward` declares it: `Tensor`, `tuple[Tensor, Tensor]`; None where it does not."""
    results = {signature.result for signature in signatures(f"{path}.forward")}
    return results.pop() if len(results) == 1 else None


@cache
def constants() -> dict[str, str]:
    """The variables of `torch` that are declared with a class: `torch.float32` is a `torch.dtype`, `torch.strided` a `torch.layout`."""
    return _pairs("constants")


def held(path: str) -> frozenset[str] | None:
    """What a module of `torch.nn` has: `parameters`, `buffers`, `children`, a `mode` that it asks for; None if unknown."""
    found = _held().get(path)
    return frozenset(found.split()) if found is not None else None


@cache
def _held() -> dict[str, str]:
    return _pairs("held")


def _pairs(section: str) -> dict[str, str]:
    found = table("holdings.txt").section(section)
    lines = (line.partition(" =") for line in found[1].splitlines()) if found is not None else ()
    return {name: words.strip() for name, _, words in lines}

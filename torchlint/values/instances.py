"""What kind of thing an instance of an imported class is, in the terms of the flow model: the classes themselves are facts."""

from __future__ import annotations

from torchlint.facts import classes
from torchlint.facts.modules import NON_MODULES_IN_NN
from torchlint.values.kinds import Kind

_KINDS = {
    classes.MODULE: Kind.MODULE,
    classes.OPTIMIZER: Kind.OPTIMIZER,
    classes.SCHEDULER: Kind.SCHEDULER,
    classes.SCALER: Kind.SCALER,
    classes.LOADER: Kind.LOADER,
    classes.DATASET: Kind.DATASET,
    classes.SAMPLER: Kind.SAMPLER,
    classes.MANAGER: Kind.MANAGER,
    classes.DISTRIBUTION: Kind.OBJECT,
    classes.TENSOR: Kind.TENSOR,
    classes.DEVICE: Kind.DEVICE,
    classes.DTYPE: Kind.DTYPE,
    classes.GENERATOR: Kind.GENERATOR,
    classes.ARRAY: Kind.NDARRAY,
}


def kind_of_instance(path: str) -> Kind | None:
    """The kind of what a class of torch or of a library around it makes; None for any other class, and for what is no class."""
    found = _KINDS.get(classes.root(path) or "")
    return None if found is Kind.MODULE and path in NON_MODULES_IN_NN else found


def is_module_class(path: str) -> bool:
    """Whether a class makes modules; with more than the declarations tell: transformers names its base classes alike."""
    return kind_of_instance(path) is Kind.MODULE or path.startswith("transformers.") and path.endswith("PreTrainedModel")

"""What a value can be said to be: its kind, whether it carries a graph, where it lives."""

from enum import Enum, IntEnum


class Kind(Enum):
    __hash__ = object.__hash__  # Python's enumerations hash their names, in Python; they live in the keys of many dictionaries

    UNKNOWN = "unknown"
    TENSOR = "tensor"
    MODULE = "module"
    OPTIMIZER = "optimizer"
    SCHEDULER = "scheduler"
    SCALER = "gradient scaler"
    LOADER = "data loader"
    DATASET = "dataset"
    SAMPLER = "sampler"
    PARAMETERS = "parameters"
    """An iterator over a module's parameters."""
    DEVICE = "device"
    DTYPE = "dtype"
    GENERATOR = "random generator"
    MANAGER = "training manager"
    """accelerate's Accelerator or Fabric: prepares models and loaders, runs backward."""
    GRAD_MODE = "grad mode"
    """What `torch.no_grad()` and its like return."""
    NUMBER = "number"
    STRING = "string"
    NONE = "none"
    NDARRAY = "array"
    LIST = "list"
    TUPLE = "tuple"
    DICT = "dict"
    FUNCTION = "function"
    CLASS = "class"
    OBJECT = "object"
    """An instance of a class that is none of the above."""
    OTHER = "other"
    """Known, and of no interest: no tensor, no module, no number."""


class Graph(IntEnum):
    """Whether a value carries an autograd graph."""

    NO = 0
    MAYBE = 1
    YES = 2


class Place(IntEnum):
    """Where a tensor lives, as far as the code shows."""

    CPU = 0
    UNKNOWN = 1
    ACCELERATOR = 2
    """Moved to a device that may be an accelerator."""

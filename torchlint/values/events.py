"""What happens in a function, as far as training is concerned: the events that the flow model notes on its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from torchlint.syntax.file import SourceFile
from torchlint.syntax.tree import Node
from torchlint.values.value import Value


class Happens(Enum):
    """What an event does to the training state."""

    BACKWARD = "backward"
    STEP = "step"
    CLEAR = "clear gradients"
    UNSCALE = "unscale"
    UPDATE = "update the scaler"
    SCHEDULE = "scheduler step"
    CLIP = "clip gradients"
    TRAIN = "train mode"
    EVAL = "eval mode"
    STORE = "store"
    """A value is put into a container; `value` is what is stored."""
    OPAQUE = "unknown call"
    """A call that cannot be followed; `values` are what it was given."""


@dataclass(slots=True)
class Event:
    what: Happens
    node: Node
    """Where it is written."""
    target: Value | None = None
    """What it happens to: the loss, the optimizer, the container. None: to anything (`p.grad = None`)."""
    value: Value | None = None
    values: tuple[Value, ...] = ()
    site: Node = field(default=None)  # type: ignore[assignment]
    """Where it happens as seen from the function that is read: the call that leads to it, or `node` itself."""
    file: SourceFile = field(default=None)  # type: ignore[assignment]
    """The file that `node` stands in."""

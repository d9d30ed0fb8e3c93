"""What a program returned, written down as plain data that loses nothing `compare` asks for. Runs in the child, with torch."""

from __future__ import annotations

import hashlib
import random
import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

import torch

from torchlint.sanity.compare import Node

"""Named parts, in order: pairs of a name and a node, as JSON has them."""


class UnobservableError(Exception):
    """The program returned something whose equality nobody defined."""


def result(value: object) -> Node:
    """A whole result. Tensors that share a storage get the same number for it, so the result must stay alive meanwhile."""
    return _Observer().describe(value, "result")


def generators(device: str) -> dict[str, str]:
    """The state of every random generator that a program on this device draws from unasked, as digests."""
    version, words, gauss = random.getstate()
    states = {"torch": _bytes(torch.random.get_rng_state()), "python": array("Q", words).tobytes() + repr((version, gauss)).encode()}
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        _, keys, *rest = numpy.random.get_state()
        states["numpy"] = keys.tobytes() + repr(rest).encode()
    if device == "cuda":  # asking starts CUDA
        states.update({f"cuda:{index}": _bytes(state) for index, state in enumerate(torch.cuda.get_rng_state_all())})
    if device == "mps":
        states["mps"] = _bytes(torch.mps.get_rng_state())
    return {name: _digest(state) for name, state in states.items()}


def behaviour(value: object, node: Node, example: Callable[[], object], seed: Callable[[], None]) -> None:
    """Call each module that was returned directly, in train and in eval mode, and add the outcomes to its node.

    This changes the modules (running statistics), so it comes after everything else was observed.
    """
    direct = (
        list(zip(value.values(), (child for _, child in node["items"]), strict=True)) if isinstance(value, Mapping) else [(value, node)]
    )
    for module, described in direct:
        if isinstance(module, torch.nn.Module):
            for mode in ("train", "eval"):
                seed()
                module.train(mode == "train")
                inputs = example()
                output = module(*inputs) if isinstance(inputs, tuple) else module(inputs)
                described[mode] = [["output", result(output)]]


class _Observer:
    def __init__(self) -> None:
        self.storages: dict[int, int] = {}
        self.held: list[object] = []
        """What was made only to be described: were it freed, another storage could take its place and look like the same."""

    def describe(self, value: object, where: str) -> Node:
        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        if isinstance(value, torch.nn.Module):
            return self.module(value, where)
        if isinstance(value, torch.optim.Optimizer):
            inside = {"groups": value.param_groups, "state": list(value.state.values())}
            return self.children(value, ((name, self.describe(part, f"{where}.{name}")) for name, part in inside.items()))
        if isinstance(value, int | float | complex) and abs(value) < 2**63:
            numbers = [value.real, value.imag] if isinstance(value, complex) else [value]
            return {"kind": "number", "type": _type_of(value), "values": numbers}
        if value is None or isinstance(value, str | bytes | int | float | torch.dtype | torch.device):
            return {"kind": "plain", "type": _type_of(value), "value": value if isinstance(value, str) else repr(value)}
        if isinstance(value, BaseException):
            return {"kind": "plain", "type": _type_of(value), "value": str(value)}
        if isinstance(value, torch.Generator):
            return {"kind": "plain", "type": "Generator", "value": _digest(_bytes(value.get_state()))}
        if hasattr(value, "__array_interface__"):
            tensor = torch.from_numpy(value)
            self.held.append(tensor)
            return self.tensor(tensor) | {"type": _type_of(value)}
        parts = _parts(value)
        if parts is None:
            kind = _type_of(value)
            raise UnobservableError(f"{where} is a {kind}, which cannot be compared: return tensors, modules, optimizers, numbers or text")
        return self.children(value, ((name, self.describe(part, f"{where}[{name}]")) for name, part in parts))

    def tensor(self, tensor: Any, *, with_values: bool = True) -> Node:
        keeps_grad = tensor.is_leaf or tensor.retains_grad
        return {
            "kind": "tensor",
            "type": _type_of(tensor),
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "strides": _strides(tensor),
            "offset": tensor.storage_offset() if tensor.layout is torch.strided else 0,
            "device": str(tensor.device),
            "requires_grad": tensor.requires_grad,
            "is_leaf": tensor.is_leaf,
            "values": _values(tensor) if with_values else None,
            "grad": self.tensor(tensor.grad) if keeps_grad and tensor.grad is not None else None,
            "storage": self.storage(tensor),
        }

    def storage(self, tensor: Any) -> int | None:
        if tensor.layout is not torch.strided:
            return None
        return self.storages.setdefault(tensor.untyped_storage()._cdata, len(self.storages))

    def module(self, module: Any, where: str) -> Node:
        """Values stand in the state_dict; a parameter adds what is not saved, and a buffer the values that are not."""
        state = module.state_dict()
        self.held.append(state)
        return {
            "kind": "module",
            "type": _type_of(module),
            "state_dict": [[name, self.describe(part, f"{where}.{name}")] for name, part in state.items()],
            "parameters": [[name, self.tensor(part, with_values=False)] for name, part in module.named_parameters()],
            "buffers": [[name, self.tensor(part)] for name, part in module.named_buffers() if name not in state],
            "modes": [[name or "itself", self.mode(part)] for name, part in module.named_modules()],
            "train": [],
            "eval": [],
        }

    def mode(self, module: Any) -> Node:
        return {"kind": "mode", "type": _type_of(module), "value": "train" if module.training else "eval"}

    def children(self, value: object, items: Iterable[tuple[str, Node]]) -> Node:
        return {"kind": "items", "type": _type_of(value), "items": [[name, node] for name, node in items]}


def _parts(value: object) -> Iterable[tuple[str, object]] | None:
    if isinstance(value, Mapping):
        return ((str(key), part) for key, part in value.items())
    if isinstance(value, Set):
        return ((str(index), part) for index, part in enumerate(sorted(value, key=repr)))
    if isinstance(value, Sequence):
        return ((str(index), part) for index, part in enumerate(value))
    return None


def _type_of(value: object) -> str:
    """The qualified name of its class, where that is more than a name."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ in ("builtins", "torch") else f"{kind.__module__}.{kind.__qualname__}"


def _strides(tensor: Any) -> list[int] | str:
    """How the elements lie in memory. The stride of a dimension with one element says nothing about that."""
    if tensor.layout is not torch.strided:
        return str(tensor.layout)
    return [stride if length > 1 else 0 for length, stride in zip(tensor.shape, tensor.stride(), strict=True)]


def _values(tensor: Any) -> list[Any] | None:
    """Every element as a Python number, exactly; a meta tensor has none."""
    if tensor.is_meta:
        return None
    flat = (
        tensor.detach().resolve_conj().resolve_neg().to("cpu").to_dense().flatten()
        if tensor.layout is not torch.strided
        else tensor.detach().cpu().flatten()
    )
    if flat.is_complex():
        flat = torch.view_as_real(flat.resolve_conj()).flatten()
    if flat.is_floating_point():
        flat = flat.double()
    values: list[Any] = flat.tolist()
    return values


def _bytes(state: Any) -> bytes:
    return bytes(state.cpu().tolist())


def _digest(state: bytes) -> str:
    return hashlib.sha256(state).hexdigest()[:16]

"""What torch's functions and tensor methods return, in the terms of the flow model.

Sets that are asked for are read off PyTorch's declarations; a name that is typed here is one of which no declaration says it.
"""

from torchlint.facts.asked import Asked
from torchlint.facts.operations import Result, forms_of, operation
from torchlint.facts.signatures import signatures


def _returned(name: str) -> list[tuple[Result, ...]]:
    """What the overloads of all forms of a name return; nothing where no schema says it."""
    return [overload.results for form in forms_of(name) for overload in form.overloads]


def _returns_one(results: tuple[Result, ...], kind: str) -> bool:
    return len(results) == 1 and results[0].type == kind


def _is_factory(path: str) -> bool:
    known = operation(path) if path.startswith("torch.") else None
    if known is None or not known.is_known or known.path.count(".") > 1:
        return False
    of_nothing = not any(argument.is_tensor for overload in known.overloads for argument in overload.arguments)
    return (of_nothing or known.name.endswith("_like")) and all(_returns_one(overload.results, "Tensor") for overload in known.overloads)


def _is_operation(name: str) -> bool:
    taken = [overload.arguments for form in forms_of(name) for overload in form.overloads]
    returned = _returned(name)
    return (
        not name.endswith("_")
        and any(argument.is_tensor for arguments in taken for argument in arguments)
        and all(_returns_one(results, "Tensor") for results in returned)
    )


def _is_without_graph(name: str) -> bool:
    returned = _returned(name)
    return bool(returned) and not any(not result.is_tensor or result.is_differentiable for results in returned for result in results)


def _is_pair(name: str) -> bool:
    return any([result.name for result in results] == ["values", "indices"] for results in _returned(name))


def _is_list(name: str) -> bool:
    returned = _returned(name)
    return bool(returned) and all(_returns_one(results, "Tensor[]") for results in returned)


def _is_number(name: str) -> bool:
    known = operation(f"torch.Tensor.{name}")
    plain = ("int", "SymInt", "float", "bool", "Scalar", "int[]", "SymInt[]")
    return known is not None and known.is_known and all(_is_plain(overload.results, plain) for overload in known.overloads)


def _is_plain(results: tuple[Result, ...], plain: tuple[str, ...]) -> bool:
    return len(results) == 1 and results[0].type in plain


def _is_view(name: str) -> bool:
    known = operation(f"torch.Tensor.{name}")
    return known is not None and known.is_view


def _is_loss(name: str) -> bool:
    return any("reduction" in signature for signature in signatures(f"torch.nn.functional.{name}"))


FACTORIES = Asked(
    _is_factory,
    also=[
        f"torch.{name}" for name in "tensor complex polar bernoulli linspace logspace multinomial normal poisson sparse_coo_tensor".split()
    ],
    never=["torch.from_file"],
)
"""Functions that make a tensor of their own: its memory is shared with nothing. `tensor` has no schema; those that are added make it of
other tensors, or can, and carry no graph of them that matters here."""

ALIASING_CONSTRUCTORS = frozenset(f"torch.{name}" for name in "from_numpy as_tensor asarray frombuffer as_strided from_dlpack".split())
"""Constructors that share memory with their argument, or have no device of their own choice."""

_PYTHON_CONTAINERS = frozenset(name for kind in (list, dict, set, str, bytes) for name in dir(kind))

OPERATIONS = Asked(
    _is_operation,
    also="""adaptive_max_pool1d adaptive_max_pool2d bfloat16 double dropout1d dropout2d dropout3d embedding_bag fft float
    gumbel_softmax half interpolate local_response_norm lp_pool2d masked nanmedian normalize softmin softsign tanhshrink unique
    upsample where zero""".split(),
    never=[*_PYTHON_CONTAINERS, *"data put values indices to cpu cuda".split()],
)
"""Functions of `torch` and methods of tensors that return one tensor; it carries a graph when an operand does.

Those that are added are written in Python, or return something else in a form that is rarely used. Those that are left out are methods of
Python's containers too, or move a tensor.
"""

LOSSES = Asked(_is_loss)
"""Functions of `torch.nn.functional` that reduce to one element unless `reduction` (or `reduce`) says otherwise."""

REDUCTIONS = frozenset("sum mean prod norm logsumexp nansum nanmean std var median".split())
"""Methods that leave one element when they are given no dimension."""

PAIRS = Asked(_is_pair)
"""Methods that yield values and indices when a dimension is given (`sort` and `topk` always); the indices carry no graph."""

WITHOUT_GRAPH = Asked(
    _is_without_graph,
    also="""bernoulli bincount bitwise_and bitwise_or bitwise_not bool byte ceil detach equal floor int isclose isfinite long numel short
    sign unique_consecutive""".split(),
)
"""Operations whose result never carries a graph that matters: indices, truth values, integers, detached tensors.

Added are compositions, whose parts alone are declared, what is zero almost everywhere, casts, and plain values.
"""

CASTS = frozenset(
    "long int bool short byte float double half bfloat16 type type_as contiguous clone requires_grad_ pin_memory squeeze unsqueeze".split()
)

VIEWS = Asked(_is_view)
"""Methods whose result shares memory with the tensor, whatever that is like."""

NUMBERS = Asked(_is_number, also="nelement ndimension element_size data_ptr __len__".split())
"""Tensor methods that return plain Python values; those that are added are made in C, without a schema."""

TENSOR_EVIDENCE = frozenset(
    """backward detach detach_ requires_grad_ retain_grad masked_fill masked_fill_ logsumexp argmax softmax log_softmax
    unsqueeze unsqueeze_""".split()
)
"""Methods that nothing but a tensor has in practice: calling one proves the receiver."""

LISTS_OF_TENSORS = Asked(_is_list)

# Of all methods that wait for the device those that hand over what they waited for: `operations` knows the others.
SYNCHRONISING_METHODS = frozenset("item cpu numpy tolist".split())

MODULE_EVIDENCE = frozenset("parameters named_parameters eval train named_modules named_children register_forward_hook".split())
"""Methods that prove an unknown value a module."""

NUMERIC_PACKAGES = ("math.", "time.", "random.", "statistics.", "cmath.", "psutil.")
ARRAY_PACKAGES = ("numpy.", "scipy.", "sklearn.", "pandas.")

OUTPUT_FIELDS = frozenset("loss logits last_hidden_state pooler_output prediction_logits start_logits end_logits".split())
"""Attributes of what the models of transformers return that carry the model's graph."""

"""What torch's functions and tensor methods return, in the terms of the flow model.

Sets that are asked for are read off PyTorch's declarations; a name that is typed here is one of which no declaration says it.
"""

from torchlint.facts.asked import Asked
from torchlint.facts.classes import DISTRIBUTION, MODULE, constants
from torchlint.facts.operations import Result, forms_of, operation
from torchlint.facts.signatures import signatures
from torchlint.facts.versions import presence


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


def _is_in_place(name: str) -> bool:
    known = operation(f"torch.Tensor.{name}") if name.endswith("_") else None
    return known is not None and "self" in known.changes


def _is_loss(name: str) -> bool:
    return any("reduction" in signature for signature in signatures(f"torch.nn.functional.{name}"))


def _is_move(name: str) -> bool:
    return presence(f"torch.Tensor.{name}") is not None and presence(f"{MODULE}.{name}") is not None


def _is_dtype(path: str) -> bool:
    return constants().get(path) == "torch.dtype"


def _is_measure(name: str) -> bool:
    found = signatures(f"{DISTRIBUTION}.{name}")
    return bool(found) and all(signature.result == "Tensor" for signature in found)


DTYPES = Asked(_is_dtype, also=["torch.bit"])
"""The types of elements, by their dotted names; the one that is added is made in C."""

MOVES = Asked(_is_move, never=["requires_grad_"])
"""Methods that tensors and modules have alike: they go to a device, or to another type of elements."""

MOVES_TO_ACCELERATORS = Asked(lambda name: name in MOVES and f"torch.{name}" not in DTYPES, never="to cpu type".split())
"""Those that name the device: neither a type of elements, nor one that is told where to."""

NAMED_IN_PLACE = Asked(lambda name: name.endswith("_") and not name.endswith("__"))
"""Names by which PyTorch's methods change the tensor that they are called on, and return it."""

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

KEEPING_DTYPE = frozenset("to cuda cpu xpu clone contiguous pin_memory reshape flatten detach requires_grad_".split())
"""Methods whose result has the elements of the tensor, unless they are told otherwise: no schema says so."""

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

IN_PLACE = Asked(_is_in_place, also="apply_ map_ map2_".split(), never="requires_grad_ retain_grad_ share_memory_ rename_ detach_".split())
"""Methods that change the tensor that they are called on. Those that are added are made in C, without a schema; those that are left out
change no value in it."""

NUMBERS = Asked(_is_number, also="nelement ndimension element_size data_ptr __len__".split())
"""Tensor methods that return plain Python values; those that are added are made in C, without a schema."""

TENSOR_EVIDENCE = frozenset(
    """backward detach detach_ requires_grad_ retain_grad masked_fill masked_fill_ logsumexp softmax log_softmax
    unsqueeze unsqueeze_""".split()
)
"""Methods that nothing but a tensor has in practice: calling one proves the receiver."""

LISTS_OF_TENSORS = Asked(_is_list)

# Of all methods that wait for the device those that hand over what they waited for: `operations` knows the others.
SYNCHRONISING_METHODS = frozenset("item cpu numpy tolist".split())

MODULE_EVIDENCE = frozenset("parameters named_parameters eval train named_modules named_children register_forward_hook".split())
"""Methods that prove an unknown value a module."""

MEASURES_OF_DISTRIBUTIONS = Asked(_is_measure, never=["sample", "sample_n"])
"""Methods of `torch.distributions` that compute a tensor of what the distribution was made with; those left out draw one."""

DRAWS_OF_DISTRIBUTIONS = frozenset({"sample", "sample_n"})
"""Methods of `torch.distributions` that draw without a graph: they switch it off themselves."""

ASKED_OF_TENSORS = Asked(
    lambda name: name in NUMBERS or name in OPERATIONS or name in MOVES or name in TENSOR_EVIDENCE, also="tolist numpy max min topk".split()
)
"""Methods by which an unknown value is treated as a tensor would be, should it be one."""

_FUNCTION_PACKAGES = frozenset("torch torch.nn.functional torch.special torch.linalg torch.fft torch.ops.aten".split())
"""Where functions of tensors are that have the names of operations."""


def _in_packages(names: Asked, *also: str) -> Asked:
    """The functions of these names; with all that is in the packages `also`."""

    def holds(path: str) -> bool:
        package, _, name = path.rpartition(".")
        return package in _FUNCTION_PACKAGES and (name in names or package in also)

    return Asked(holds)


LOSS_FUNCTIONS = _in_packages(LOSSES)
PAIR_FUNCTIONS = Asked(lambda path: path.rpartition(".")[0] == "torch" and path.rpartition(".")[2] in PAIRS)
FUNCTIONS_WITHOUT_GRAPH = _in_packages(WITHOUT_GRAPH)
FUNCTIONS = _in_packages(OPERATIONS, "torch.special", "torch.linalg")

JOINING = frozenset(f"torch.{name}" for name in "cat concat concatenate hstack vstack dstack row_stack column_stack".split())
"""Functions that put tensors side by side: that the result grows with them is not declared."""

CLIPPING = frozenset(f"torch.nn.utils.{name}" for name in "clip_grad_norm_ clip_grad_norm clip_grad_value_ clip_grads_with_norm_".split())
"""Functions that clip gradients: to a declaration they are functions that change something."""

ZEROING: dict[str, int | None] = {
    "torch._foreach_zero_": None,
    "torch._foreach_mul_": 1,
    "torch.nn.init.zeros_": None,
    "torch.nn.init.constant_": 1,
    "torch.zero_": None,
}
"""What fills the first argument with zeros: always, or if the argument at this position is 0. No declaration says what is written."""

ZEROING_METHODS: dict[str, int | None] = {"zero_": None, "fill_": 0, "mul_": 0}
"""The same of methods."""

STEPPING_METHODS = frozenset("add_ sub_ addcdiv_ copy_".split())
"""Methods by which a step is taken by hand: the tensor is changed by what they are given."""

OVERWRITING_METHODS = frozenset("copy_ set_".split())
"""Methods that leave nothing of what was there before."""

DIFFERENTIATING = frozenset({"torch.autograd.grad", "torch.autograd.backward"})

# What other libraries return is typed: their declarations are not read here.
NUMERIC_PACKAGES = tuple("math time random statistics cmath psutil".split())
ARRAY_PACKAGES = ("numpy.", "scipy.", "sklearn.", "pandas.")
MODEL_PACKAGES = ("torchvision.models", "segmentation_models_pytorch")
LIBRARIES_OF_MODELS = ("torchvision.models", "transformers.", "timm.")
"""Where models with weights come from: whatever is called there is taken for one."""
QUIET_PACKAGES = tuple(
    """os sys json logging pathlib re copy wandb
    torch.cuda torch.backends torch.distributed torch.accelerator torch.mps""".split()
)
"""Packages whose functions return neither data nor modules."""

QUIET_FUNCTIONS = frozenset("torch.manual_seed torch.save torch.jit.save torch.is_tensor torch.get_default_dtype".split())
"""Functions of `torch` that return neither data nor modules."""

ARRAY_REDUCTIONS = frozenset("item mean sum max min std".split())
"""Methods of arrays that leave a number."""

PLAIN_ATTRIBUTES = frozenset("ndim is_cuda requires_grad is_leaf layout".split())
"""Attributes of tensors that are plain values, and that hardly anything else has: attributes are declared without a type."""

TENSOR_ATTRIBUTES = frozenset("T mT H mH real imag".split())
"""Attributes of tensors that are views of them."""

OUTPUT_FIELDS = frozenset("loss logits last_hidden_state pooler_output prediction_logits start_logits end_logits".split())
"""Attributes of what the models of transformers return that carry the model's graph."""

"""What is known of torch's modules, of what is made of them, and of the frameworks that manage a training loop.

Sets that are asked for are read off PyTorch's declarations; a name that is typed here is one of which no declaration says it.
"""

from torchlint.facts.asked import Asked
from torchlint.facts.classes import LOADER, MODULE, derives, forwarded, held, names_of
from torchlint.facts.signatures import bases, signatures


def _is_loss(path: str) -> bool:
    return path.rpartition(".")[0] == "torch.nn" and any("reduction" in signature for signature in signatures(path))


def _is_no_module(path: str) -> bool:
    return path.rpartition(".")[0] == "torch.nn" and bases(path) is not None and not derives(path, MODULE)


def _is_stateless(path: str) -> bool:
    return held(path) == frozenset()


def _is_weightless(path: str) -> bool:
    found = held(path)
    return found is not None and found <= {"mode"}


def _has_mode(path: str) -> bool:
    return "mode" in (held(path) or ())


def _has_mode_by_default(path: str) -> bool:
    """Dropout between layers and running statistics that are only there when they are asked for make no difference by default."""
    given = {each.name: each for signature in signatures(path) for each in signature.parameters}
    optional = (given[name].default for name in ("dropout", "track_running_stats") if name in given and given[name].has_default)
    return _has_mode(path) and "children" not in (held(path) or ()) and not _is_recurrent(path) and all(optional)


def _has_no_mode(path: str) -> bool:
    found = held(path)
    return found is not None and found <= {"parameters", "buffers"}


def _has_weights(path: str) -> bool:
    return "parameters" in (held(path) or ())


def _takes_weight(path: str) -> bool:
    return _is_loss(path) and any(signature.parameters[0].name == "weight" for signature in signatures(path) if signature.parameters)


def _is_recurrent(path: str) -> bool:
    return derives(path, "torch.nn.RNNBase")


def _has_two_states(path: str) -> bool:
    return derives(path, "torch.nn.LSTM")


def _may_leave_out(path: str) -> bool:
    return _returns_two(path) and (forwarded(path) or "").endswith("None]")


def _returns_tensor(path: str) -> bool:
    return forwarded(path) == "Tensor"


def _returns_two(path: str) -> bool:
    return _is_recurrent(path) or (forwarded(path) or "").startswith("tuple[Tensor, Tensor")


STATELESS_MODULES = Asked(_is_stateless, also="torch.nn.FractionalMaxPool2d torch.nn.FractionalMaxPool3d".split())
"""Modules without weights, buffers or behaviour that depends on the mode: nothing is lost when they are not registered.

The buffer of those that are added is empty, unless they are given one.
"""

WEIGHTLESS_MODULES = Asked(_is_weightless)
"""Modules without weights, buffers and children, whatever they make of the mode."""

MODAL_MODULES = Asked(_has_mode)
"""Modules that behave differently in training."""

MODAL_BY_DEFAULT = Asked(_has_mode_by_default)
"""Those that do so unless they are told otherwise, and hold no other modules."""

MODELESS_MODULES = Asked(_has_no_mode)
"""Modules that behave alike in both modes, whatever they are built with."""

MODULES_WITH_WEIGHTS = Asked(_has_weights)
"""Modules with parameters of their own, unless they are told otherwise."""

LOSS_MODULES = Asked(_is_loss)
"""Modules that reduce to one element unless `reduction` says otherwise, and have no weights of their own."""

LOSSES_WEIGHTED_FIRST = Asked(_takes_weight)
"""Losses whose first argument is a tensor of weights, which they keep as a buffer."""

NON_MODULES_IN_NN = Asked(_is_no_module, also="torch.nn.ParameterList torch.nn.ParameterDict".split())
"""Classes of `torch.nn` that are no modules; the lists that are added are, and nobody calls them."""

RECURRENT_MODULES = Asked(_is_recurrent)
"""Modules whose call yields an output, packed where the input is, and the last state."""

TUPLE_MODULES = Asked(_returns_two)
"""Modules whose call yields a tuple of two."""

MODULES_WITH_TWO_STATES = Asked(_has_two_states)
"""Recurrent modules whose last state is a pair itself."""

MODULES_THAT_MAY_LEAVE_OUT = Asked(_may_leave_out)
"""Modules that yield None for the second of two, if they are asked to."""

TENSOR_MODULES = Asked(_returns_tensor, also=["torch.nn.Sequential"])
"""Modules whose call yields one tensor; a `Sequential` promises none, and in practice ends in a module that does."""

CHAIN = "torch.nn.Sequential"
MODULES_OF_MODULES = frozenset({"torch.nn.ModuleList", "torch.nn.ModuleDict", CHAIN})
"""Modules that yield their children when they are iterated over: what `__iter__` and `__getitem__` return is not declared."""

PARAMETERS_OF_LAYERS = frozenset({"weight", "bias"})
"""Attributes that torch's layers call their parameters by."""

SELF_RETURNING_METHODS = frozenset("train eval requires_grad_ apply share_memory zero_grad_".split())
"""Methods of modules that return the module: no declaration says more than that it is one."""

QUERIES_OF_MODULES = frozenset(
    """named_modules modules children named_children load_state_dict append extend insert add_module items keys
    register_buffer""".split()
)
"""Methods of modules that neither run the module nor hand out parameters."""

MANAGED_MODULES = frozenset("lightning.pytorch.LightningModule".split())
"""Bases whose methods are called by a trainer that clears gradients, steps and disables gradients by itself."""

MANAGED_STEPS = frozenset("training_step".split())
EVALUATION_STEPS = frozenset("validation_step test_step predict_step".split())
"""Methods of managed modules that the trainer runs without gradients."""

MANAGED_LOOPS = frozenset(
    """transformers.Trainer transformers.Seq2SeqTrainer transformers.trainer.Trainer trl.SFTTrainer trl.DPOTrainer
    trl.PPOTrainer lightning.pytorch.Trainer ignite.engine.Engine""".split()
)
"""Classes whose subclasses run inside a loop that someone else wrote."""

PREPARING_METHODS = frozenset("prepare setup setup_module setup_dataloaders prepare_model setup_optimizers".split())
"""Methods of training managers that hand back what they are given, moved and wrapped."""

PREPARED_FOR_A_DEVICE = ("prepare", "setup_dataloaders", "prepare_data_loader")
"""Methods of training managers after which the data comes on the device."""

GATHERING_METHODS = frozenset("gather gather_for_metrics reduce pad_across_processes".split())
"""Methods of training managers that hand back the tensor they are given, from all processes."""

LOADERS = names_of(LOADER)
"""The data loaders of torch and of the libraries around it, by name."""

PARALLEL_WRAPPERS = frozenset("torch.nn.DataParallel torch.nn.parallel.DistributedDataParallel torch.compile torch.jit.script".split())
"""Wrappers that are called just like the module in them."""


PASS_THROUGH = frozenset(
    "tqdm.tqdm tqdm.auto.tqdm tqdm.notebook.tqdm tqdm.trange rich.progress.track fastprogress.progress_bar fastprogress.master_bar".split()
)
"""Callables that iterate over their first argument unchanged."""

GRAD_OFF = frozenset({"torch.no_grad", "torch.inference_mode"})
GRAD_ON = frozenset({"torch.enable_grad"})
GRAD_SET = frozenset({"torch.set_grad_enabled"})

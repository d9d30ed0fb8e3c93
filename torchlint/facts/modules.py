"""What is known of torch's classes: modules, optimizers, schedulers, loaders, and the frameworks that manage a training loop."""

from torchlint.facts.asked import Asked
from torchlint.facts.signatures import bases, signatures

MODULE = "torch.nn.Module"


def _is_loss(path: str) -> bool:
    return path.rpartition(".")[0] == "torch.nn" and any("reduction" in signature for signature in signatures(path))


def _is_no_module(path: str) -> bool:
    return path.rpartition(".")[0] == "torch.nn" and bases(path) is not None and not _derives(path, MODULE)


def _derives(path: str, ancestor: str) -> bool:
    return path == ancestor or any(_derives(base, ancestor) for base in bases(path) or ())


STATELESS_MODULES = frozenset(
    f"torch.nn.{name}"
    for name in """ReLU ReLU6 LeakyReLU ELU SELU CELU GELU SiLU Mish Sigmoid Tanh Softmax LogSoftmax Softplus Softsign Softmin Softmax2d
    Hardtanh Hardswish Hardsigmoid Hardshrink Softshrink Tanhshrink Threshold GLU LogSigmoid Identity Flatten Unflatten
    MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d
    AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d LPPool1d LPPool2d MaxUnpool1d MaxUnpool2d MaxUnpool3d
    FractionalMaxPool2d ZeroPad1d ZeroPad2d ZeroPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d
    ReflectionPad2d ReplicationPad1d ReplicationPad2d ReplicationPad3d ReflectionPad3d PixelShuffle PixelUnshuffle Upsample
    UpsamplingNearest2d UpsamplingBilinear2d ChannelShuffle CosineSimilarity PairwiseDistance Fold Unfold""".split()
)
"""Modules without weights, buffers or behaviour that depends on the mode: nothing is lost when they are not registered."""

LOSS_MODULES = Asked(_is_loss)
"""Modules that reduce to one element unless `reduction` says otherwise, and have no weights of their own."""

NON_MODULES_IN_NN = Asked(_is_no_module, also="torch.nn.ParameterList torch.nn.ParameterDict".split())
"""Classes of `torch.nn` that are no modules; the lists that are added are, and nobody calls them."""

RECURRENT_MODULES = frozenset("torch.nn.LSTM torch.nn.GRU torch.nn.RNN".split())
"""Modules whose call yields an output, packed where the input is, and the last state."""

TUPLE_MODULES = RECURRENT_MODULES | frozenset("torch.nn.LSTMCell torch.nn.MultiheadAttention".split())
"""Modules whose call yields a tuple of two."""

TENSOR_MODULE_PREFIXES = (
    "Linear",
    "Conv",
    "BatchNorm",
    "LayerNorm",
    "GroupNorm",
    "InstanceNorm",
    "Embedding",
    "Dropout",
    "AlphaDropout",
    "Bilinear",
    "RMSNorm",
    "PReLU",
    "Lazy",
)
"""Modules of `torch.nn` (by the beginning of their name) whose call yields one tensor."""

MODULE_BASES = frozenset(
    """torch.nn.Module lightning.pytorch.LightningModule lightning.fabric.wrappers._FabricModule transformers.PreTrainedModel
    transformers.modeling_utils.PreTrainedModel torch.nn.Sequential torch.nn.ModuleList torch.nn.ModuleDict
    torch.jit.ScriptModule torch_geometric.nn.MessagePassing gpytorch.models.ExactGP gpytorch.Module
    timm.models.vision_transformer.VisionTransformer torch.nn.parallel.DistributedDataParallel torch.nn.DataParallel""".split()
)

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

MANAGERS = frozenset("accelerate.Accelerator accelerate.accelerator.Accelerator lightning.fabric.Fabric".split())

PARALLEL_WRAPPERS = frozenset("torch.nn.DataParallel torch.nn.parallel.DistributedDataParallel torch.compile torch.jit.script".split())
"""Wrappers that are called just like the module in them."""

SCALERS = frozenset("torch.cuda.amp.GradScaler torch.amp.GradScaler torch.cpu.amp.GradScaler torch.GradScaler".split())
LOADERS = frozenset(
    "torch.utils.data.DataLoader torchdata.stateful_dataloader.StatefulDataLoader torch_geometric.loader.DataLoader".split()
)
DATASETS = frozenset(
    f"torch.utils.data.{name}" for name in "Dataset TensorDataset Subset ConcatDataset ChainDataset IterableDataset".split()
)

PASS_THROUGH = frozenset(
    "tqdm.tqdm tqdm.auto.tqdm tqdm.notebook.tqdm tqdm.trange rich.progress.track fastprogress.progress_bar fastprogress.master_bar".split()
)
"""Callables that iterate over their first argument unchanged."""

GRAD_OFF = frozenset({"torch.no_grad", "torch.inference_mode"})
GRAD_ON = frozenset({"torch.enable_grad"})
GRAD_SET = frozenset({"torch.set_grad_enabled"})

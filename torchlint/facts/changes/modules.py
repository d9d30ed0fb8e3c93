"""Layers, functions of layers, initialisation and training: mostly older names of what has another one today."""

from torchlint.facts.changes.row import Change, Does, Kind, Recipe

_DOCS = "https://docs.pytorch.org/docs/stable/generated"
_INIT = "https://docs.pytorch.org/docs/stable/nn.init.html"
_MEMORY = "https://docs.pytorch.org/docs/stable/torch_cuda_memory.html"
_SCRIPT = "https://docs.pytorch.org/docs/stable/jit.html"
_FFT = "https://docs.pytorch.org/docs/stable/fft.html"
_ASKS_FOR_CLASS = r"(?:isinstance|type)\([^)\n]*Upsampling"
_ANOTHER_DEVICE = r"cuda\.\w*Tensor"


def _renamed(name: str, to: str, since: str, first: str, reference: str, does: Does = Does.WARNS, *added: str) -> Change:
    return Change(name, since, to, first, reference, does=does, recipes=(Recipe(to, adds=added),))


ROWS = (
    *(
        _renamed(f"torch.nn.init.{name}", f"torch.nn.init.{name}_", "0.4", "0.4", _INIT)
        for name in (
            *("uniform", "normal", "constant", "eye", "dirac", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"),
            *("orthogonal", "sparse"),
        )
    ),
    _renamed(
        "torch.nn.utils.clip_grad_norm", "torch.nn.utils.clip_grad_norm_", "0.4", "0.4", f"{_DOCS}/torch.nn.utils.clip_grad_norm.html"
    ),
    _renamed("torch.nn.functional.upsample", "torch.nn.functional.interpolate", "1.0", "1.0", f"{_DOCS}/torch.nn.functional.upsample.html"),
    _renamed(
        "torch.nn.functional.upsample_nearest",
        "torch.nn.functional.interpolate",
        "1.0",
        "1.0",
        f"{_DOCS}/torch.nn.functional.upsample_nearest.html",
        Does.WARNS,
        'mode="nearest"',
    ),
    _renamed(
        "torch.nn.functional.upsample_bilinear",
        "torch.nn.functional.interpolate",
        "1.0",
        "1.0",
        f"{_DOCS}/torch.nn.functional.upsample_bilinear.html",
        Does.WARNS,
        'mode="bilinear"',
        "align_corners=True",
    ),
    Change(
        "torch.nn.UpsamplingNearest2d",
        "0.4",
        "torch.nn.Upsample",
        "0.4",
        f"{_DOCS}/torch.nn.UpsamplingNearest2d.html",
        does=Does.NOTHING,
        recipes=(Recipe("torch.nn.Upsample", adds=('mode="nearest"',), unless=_ASKS_FOR_CLASS),),
    ),
    Change(
        "torch.nn.UpsamplingBilinear2d",
        "0.4",
        "torch.nn.Upsample",
        "0.4",
        f"{_DOCS}/torch.nn.UpsamplingBilinear2d.html",
        does=Does.NOTHING,
        recipes=(Recipe("torch.nn.Upsample", adds=('mode="bilinear"', "align_corners=True"), unless=_ASKS_FOR_CLASS),),
        hint='`mode="bilinear", align_corners=True` is what it does',
    ),
    _renamed("torch.nn.NLLLoss2d", "torch.nn.NLLLoss", "0.4", "0.4", f"{_DOCS}/torch.nn.NLLLoss.html"),
    _renamed(
        "torch.nn.parallel.DistributedDataParallelCPU",
        "torch.nn.parallel.DistributedDataParallel",
        "1.4",
        "1.4",
        f"{_DOCS}/torch.nn.parallel.DistributedDataParallel.html",
    ),
    Change(
        "torch.nn.utils.weight_norm",
        "2.1",
        "torch.nn.utils.parametrizations.weight_norm",
        "2.1",
        f"{_DOCS}/torch.nn.utils.weight_norm.html",
        hint="it keeps the weight under other keys of the state dict, and is undone by `parametrize.remove_parametrizations`",
        has_a_price=True,
    ),
    Change(
        "torch.testing.assert_allclose",
        "1.12",
        "torch.testing.assert_close",
        "1.10",
        "https://github.com/pytorch/pytorch/issues/61844",
        hint="it compares dtypes, devices and strides too",
    ),
    Change(
        "torch.set_default_tensor_type",
        "2.1",
        "torch.set_default_dtype",
        "2.0",
        f"{_DOCS}/torch.set_default_tensor_type.html",
        takes="t, /",
        recipes=(
            Recipe(
                "torch.set_default_dtype",
                when={"t": ("torch.FloatTensor", "torch.DoubleTensor")},
                values={"t": {"torch.FloatTensor": "torch.float32", "torch.DoubleTensor": "torch.float64"}},
                unless=_ANOTHER_DEVICE,
            ),
        ),
        hint="for a device, `torch.set_default_device`",
    ),
    Change(
        "torch.backends.cuda.sdp_kernel",
        "2.3",
        "torch.nn.attention.sdpa_kernel",
        "2.3",
        f"{_DOCS}/torch.nn.attention.sdpa_kernel.html",
        hint="it takes the backends to choose from",
    ),
    *(
        Change(f"torch.jit.{name}", "2.5", "`torch.compile`, or `torch.export` to run a model elsewhere", "2.1", _SCRIPT, does=Does.HIDDEN)
        for name in ("script", "script_method")
    ),
    _renamed("torch.cuda.memory_cached", "torch.cuda.memory_reserved", "1.4", "1.4", _MEMORY),
    _renamed("torch.cuda.max_memory_cached", "torch.cuda.max_memory_reserved", "1.4", "1.4", _MEMORY),
    _renamed(
        "torch.library.impl_abstract", "torch.library.register_fake", "2.4", "2.4", "https://docs.pytorch.org/docs/stable/library.html"
    ),
    Change(
        "torch.utils.model_zoo.load_url",
        "1.1",
        "torch.hub.load_state_dict_from_url",
        "1.1",
        "https://docs.pytorch.org/docs/stable/model_zoo.html",
        kind=Kind.MOVED,
        does=Does.NOTHING,
        recipes=(Recipe("torch.hub.load_state_dict_from_url"),),
    ),
    *(
        Change(
            f"torch.{name}",
            "1.7",
            f"torch.fft.{to}",
            "1.7",
            _FFT,
            removed="1.8",
            does=does,
            is_call=does is Does.RAISES,
            hint="it takes and returns complex tensors, and no number of dimensions",
        )
        for name, to, does in (
            ("rfft", "rfft", Does.IS_GONE),
            ("irfft", "irfft", Does.IS_GONE),
            ("ifft", "ifft", Does.IS_GONE),
            ("fft", "fft", Does.RAISES),
        )
    ),
    Change(
        "torch.stft",
        "1.8",
        "`return_complex=True`",
        "1.7",
        f"{_DOCS}/torch.stft.html",
        removed="2.0",
        does=Does.RAISES,
        is_call=True,
        is_method=True,
        when={"return_complex": (None,)},
        recipes=(Recipe("torch.stft", adds=("return_complex=True",), wraps="torch.view_as_real({})", is_safe=False),),
    ),
)

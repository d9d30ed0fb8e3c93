"""Automatic mixed precision: what was there for CUDA and for the CPU is there for every device, which is the first argument."""

from torchlint.facts.changes.row import Change, Kind, Recipe

_AMP = "https://docs.pytorch.org/docs/stable/amp.html"
_ANOTHER_DTYPE = r"set_autocast_(?:gpu_|cpu_)?dtype|\bautocast\([^)\n]*\bdtype\b|\bbfloat16\b|\bbf16\b"
"""Where no `dtype` is given the old one takes its own, the new one what is in force: by default, or from another autocast around it."""
_ASKS_FOR_SCALER = r"\bis(?:instance|subclass)\([^)\n]*\bGradScaler\b"
"""The old class inherits from the new one."""

ROWS = (
    *(
        Change(
            f"torch.{device}.amp.autocast",
            since="2.4",
            to="torch.amp.autocast",
            first="1.10",
            reference=_AMP,
            kind=Kind.MOVED,
            recipes=(
                Recipe("torch.amp.autocast", front=f'"{device}"', given=("dtype",)),
                Recipe("torch.amp.autocast", front=f'"{device}"', when={"enabled": (False,)}),
                Recipe("torch.amp.autocast", front=f'"{device}"', unless=_ANOTHER_DTYPE),
            ),
        )
        for device in ("cuda", "cpu")
    ),
    *(
        Change(
            f"torch.{device}.amp.GradScaler",
            since="2.4",
            to="torch.amp.GradScaler",
            first="2.3",
            reference=_AMP,
            kind=Kind.MOVED,
            recipes=(Recipe("torch.amp.GradScaler", front=f'"{device}"', unless=_ASKS_FOR_SCALER),),
        )
        for device in ("cuda", "cpu")
    ),
    *(
        Change(
            f"torch.cuda.amp.{name}",
            since="2.4",
            to=f"torch.amp.{name}",
            first="2.4",
            reference=_AMP,
            kind=Kind.MOVED,
            recipes=(Recipe(f"torch.amp.{name}", adds=('device_type="cuda"',)),),
        )
        for name in ("custom_fwd", "custom_bwd")
    ),
)

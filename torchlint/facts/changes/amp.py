"""Automatic mixed precision: what was there for CUDA and for the CPU is there for every device, which is the first argument."""

from torchlint.facts.changes.row import Change, Kind, Recipe

_AMP = "https://docs.pytorch.org/docs/stable/amp.html"
_DTYPE = r"set_autocast_(?:gpu_|cpu_)?dtype"
"""With another default for a device, the two differ where no `dtype` is given."""

ROWS = (
    *(
        Change(
            f"torch.{device}.amp.autocast",
            since="2.4",
            to="torch.amp.autocast",
            first="1.10",
            reference=_AMP,
            kind=Kind.MOVED,
            recipes=(Recipe("torch.amp.autocast", front=f'"{device}"', unless=_DTYPE),),
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
            recipes=(Recipe("torch.amp.GradScaler", front=f'"{device}"'),),
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

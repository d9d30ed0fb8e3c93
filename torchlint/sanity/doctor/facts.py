"""What is known about torch and the machine that it is to run on, as plain data.

Finding it is left to `gather`, judging it to `diagnose`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Device:
    """One that torch can use."""

    name: str
    capability: tuple[int, int]
    """Of an NVIDIA GPU, what its code must be compiled for."""
    memory: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Torch:
    """What torch says of itself."""

    version: str
    path: str
    cuda: str | None = None
    """The CUDA that it was built for."""
    hip: str | None = None
    """The HIP (ROCm) that it was built for."""
    xpu: str | None = None
    available: bool = False
    """What `torch.cuda.is_available()` says."""
    said: str = ""
    """Why it is not available, in torch's own words."""
    devices: tuple[Device, ...] = ()
    archs: tuple[str, ...] = ()
    """What its kernels were compiled for, such as `sm_90`; empty where that cannot be asked."""
    cudnn: str | None = None
    mps_built: bool = False
    mps: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of device that programs can run on."""
        return ("cpu", *(("cuda",) if self.available else ()), *(("mps",) if self.mps else ()))

    @property
    def built_for(self) -> str:
        for name, version in (("CUDA", self.cuda), ("ROCm", self.hip), ("XPU", self.xpu)):
            if version is not None:
                return f"{name} {version}"
        return "Metal (MPS)" if self.mps_built else "the CPU only"


@dataclass(frozen=True, slots=True)
class Driver:
    """NVIDIA's, from whatever speaks of it: the kernel module, the library, `nvidia-smi`."""

    version: str | None = None
    cuda: str | None = None
    """The newest CUDA that it can run."""
    status: int | None = None
    """What the library answers when it is started (`cuInit`): 0 if all is well, None without a library."""
    said: str = ""
    """The complaint of `nvidia-smi`, if it had one."""
    gpus: tuple[str, ...] = ()
    """The GPUs that `nvidia-smi` lists, whatever this process may use of them."""


@dataclass(frozen=True, slots=True)
class Facts:
    python: str
    system: str
    """As `platform.system()` has it: Linux, Darwin, Windows."""
    architecture: str = "x86_64"
    wsl: bool = False
    container: bool = False
    rosetta: bool = False
    """Whether this Python was compiled for Intel, and an Apple processor translates it."""
    torch: Torch | None = None
    failure: str = ""
    """Why torch cannot be imported, if it cannot."""
    driver: Driver | None = None
    """None where nothing speaks of one."""
    cards: frozenset[str] = frozenset()
    """The makers of the GPUs on the bus: nvidia, amd, intel."""
    nodes: bool = True
    """Whether the files in `/dev` are there through which a process reaches NVIDIA's GPUs."""
    rocm: bool = False
    """Whether AMD's driver is loaded (`/dev/kfd`)."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The variables that decide which GPUs and libraries are found, as far as they are set."""
    shadow: str | None = None
    """A file or folder in the current folder that a script started there imports in the place of torch."""

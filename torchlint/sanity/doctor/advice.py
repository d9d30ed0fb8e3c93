"""What to install: which of PyTorch's wheels runs on a driver, and which driver runs a wheel.

PyTorch's page of previous versions names the wheels, NVIDIA's notes on CUDA compatibility the oldest driver of each CUDA.
"""

from __future__ import annotations

from torchlint.sanity.doctor.facts import Facts

WHEELS = ((13, 0), (12, 8), (12, 6), (11, 8))
"""The CUDA that wheels are built for, the newest first. The index of each holds the newest torch that there is for it."""
ROCM_WHEELS = "rocm6.4"
DRIVERS = {13: "580", 12: "525", 11: "450"}
"""The oldest driver on which anything that was built for this CUDA runs."""


def number(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor.partition(".")[0] or 0)


def wheel_for(driver: str) -> tuple[int, int] | None:
    """The newest wheels that this driver's CUDA runs: its own or older, else the oldest of its generation, which it runs as well."""
    able = number(driver)
    older = [each for each in WHEELS if each <= able]
    same = [each for each in WHEELS if each[0] == able[0]]
    return older[0] if older and older[0][0] == able[0] else same[-1] if same else older[0] if older else None


def pip(index: str, *, again: bool = False) -> str:
    """The command; with `again`, one that also replaces a torch of the same version."""
    return f"pip install {'--force-reinstall ' if again else ''}torch --index-url https://download.pytorch.org/whl/{index}"


def index(cuda: tuple[int, int]) -> str:
    return f"cu{cuda[0]}{cuda[1]}"


def torch_for(facts: Facts, *, again: bool = True) -> str:
    """How to get a torch that this machine can use."""
    if facts.system == "Darwin":
        return f"pip install {'--force-reinstall ' if again else ''}torch"
    if facts.driver is None or facts.driver.cuda is None:
        return pip(index(WHEELS[1]), again=again) if "nvidia" in facts.cards else pip("cpu", again=again)
    wheel = wheel_for(facts.driver.cuda)
    return (
        pip(index(wheel), again=again)
        if wheel is not None
        else f"{new_driver(facts, WHEELS[-1][0])}, then {pip(index(WHEELS[-1]), again=again)}"
    )


def new_driver(facts: Facts, major: int) -> str:
    """How to get a driver that runs CUDA of this generation."""
    wanted = f"NVIDIA driver {DRIVERS.get(major, DRIVERS[max(DRIVERS)])} or newer"
    if facts.wsl:
        return f"install {wanted} in Windows, and none in WSL (https://www.nvidia.com/drivers; `wsl --update` may be needed too)"
    where = "on the host of this container " if facts.container else ""
    return f"install {wanted} {where}(https://www.nvidia.com/drivers)"

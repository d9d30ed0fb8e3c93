"""From facts to findings: what does not fit, why, and what to do about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torchlint.sanity.doctor import advice
from torchlint.sanity.doctor.advice import new_driver, number, pip, torch_for
from torchlint.sanity.doctor.facts import Device, Facts, Torch


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    advice: str = ""
    mismatch: bool = True
    """Else it is something to know, and nothing is wrong."""


_STATUS = {
    34: ("the driver's library is a stub, made for building and not for running", "take the folder `stubs` out of LD_LIBRARY_PATH"),
    802: ("the GPUs are not set up yet", "start NVIDIA's fabric manager: sudo systemctl start nvidia-fabricmanager"),
    803: ("the driver's library and its kernel module are of different versions", "restart the machine, so that the new driver is loaded"),
    804: (
        "a library for forward compatibility (cuda-compat) is found first, and this GPU has no use for it",
        "take cuda-compat out of LD_LIBRARY_PATH, or uninstall it",
    ),
    999: (
        "the driver cannot be started, as often after the machine slept",
        "load its module anew, or restart the machine: sudo modprobe -r nvidia_uvm && sudo modprobe nvidia_uvm",
    ),
}
"""What `cuInit` may answer, by number."""


def diagnose(facts: Facts) -> tuple[Finding, ...]:
    return tuple(_findings(facts))


def fits(facts: Facts) -> bool | None:
    """Whether the driver runs the CUDA that torch was built for; None where nothing is to compare. Within one major version it does."""
    torch, driver = facts.torch, facts.driver
    if torch is None or torch.cuda is None or driver is None or driver.cuda is None:
        return None
    return number(driver.cuda)[0] >= number(torch.cuda)[0]


def _findings(facts: Facts) -> Iterator[Finding]:
    if facts.shadow is not None:
        yield Finding(f"`{facts.shadow}` in this folder is what scripts here import in the place of torch", "rename it")
    if facts.rosetta:
        yield Finding(
            "this Python is made for Intel and runs translated: no Metal, and no torch newer than 2.2",
            "install a Python for Apple silicon (its platform.machine() is arm64), and torch into that",
        )
    torch = facts.torch
    if torch is None:
        yield Finding(f"torch cannot be imported: {facts.failure}", _repair(facts))
    elif torch.hip is not None:
        yield from _rocm(facts, torch)
    elif torch.cuda is not None:
        yield from _cuda(facts, torch)
    elif torch.xpu is None:
        yield from _without_cuda(facts, torch)


def _repair(facts: Facts) -> str:
    """What to do about a torch that cannot be imported."""
    said = facts.failure
    if "libcuda.so" in said:
        return new_driver(facts, max(advice.DRIVERS))
    if re.search(r"undefined symbol|version `?lib\w+' not found", said) and facts.environment.get("LD_LIBRARY_PATH"):
        return "LD_LIBRARY_PATH leads to libraries of another CUDA; unset it, and import torch again"
    if re.search(r"GLIBC(XX)?_", said):
        return "torch is built for a newer Linux than this; use a newer system, or an older torch"
    if "DLL load failed" in said or "WinError 126" in said or "WinError 1114" in said:
        return "install Microsoft's Visual C++ Redistributable: https://aka.ms/vs/17/release/vc_redist.x64.exe"
    if "status -4:" in said:
        return "this processor lacks instructions that torch was compiled for; install an older torch, or build it here"
    lacking = re.match(r"ModuleNotFoundError: No module named '(\w+)", said)
    if lacking and lacking[1] != "torch":
        return f"pip install {lacking[1]}"
    # Libraries of CUDA, which wheels bring along in packages of their own, among others.
    return torch_for(facts)


def _rocm(facts: Facts, torch: Torch) -> Iterator[Finding]:
    if torch.available:
        return
    hidden = next((name for name in ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES") if _hides(facts, name)), None)
    if hidden is not None:
        yield Finding(f"{hidden} is `{facts.environment[hidden]}`, which hides every GPU", f"unset {hidden} to use them", mismatch=False)
    elif facts.driver is not None:
        yield Finding("torch is built for AMD's GPUs (ROCm), and the GPU here is NVIDIA's", torch_for(facts))
    elif facts.rocm:
        user = "add yourself to the groups render and video, and log in again; `rocminfo` says whether the GPU is found"
        yield Finding(f"torch cannot use the GPU: {torch.said}", user)
    elif "amd" in facts.cards:
        yield Finding(
            "there is an AMD GPU, and its driver (/dev/kfd) is not loaded",
            _device_in_container(facts, "--device /dev/kfd --device /dev/dri"),
        )
    else:
        yield Finding("no AMD GPU is found here; torch runs on the CPU", mismatch=False)


def _device_in_container(facts: Facts, options: str) -> str:
    if facts.container:
        return f"start the container with {options}"
    return "install AMD's driver: https://rocm.docs.amd.com"


def _cuda(facts: Facts, torch: Torch) -> Iterator[Finding]:
    assert torch.cuda is not None
    driver = facts.driver
    if torch.available:
        yield from (_uncompiled(each, torch) for each in torch.devices if not compiled_for(each.capability, torch.archs))
        if driver is not None and driver.cuda is not None and fits(facts) and number(driver.cuda) < number(torch.cuda):
            yield Finding(
                f"the driver is made for CUDA {driver.cuda}, torch for {torch.cuda}: all that is compiled runs, what is compiled "
                "at run time may not",
                f"if it does not, {torch_for(facts)}",
                mismatch=False,
            )
    elif driver is None:
        yield _no_driver(facts, torch)
    elif fits(facts) is False:
        yield Finding(
            f"the driver runs CUDA {driver.cuda} at most, and torch is built for {torch.cuda}",
            f"{torch_for(facts)}, or {new_driver(facts, number(torch.cuda)[0])}",
        )
    else:
        yield _unusable(facts, torch)


def _no_driver(facts: Facts, torch: Torch) -> Finding:
    if "nvidia" not in facts.cards:
        return Finding("no NVIDIA GPU is found here; torch runs on the CPU", mismatch=False)
    assert torch.cuda is not None
    if facts.container:
        return Finding("there is an NVIDIA GPU, and nothing of its driver in this container", "start the container with --gpus all")
    return Finding("there is an NVIDIA GPU, and no driver for it", new_driver(facts, number(torch.cuda)[0]))


def _unusable(facts: Facts, torch: Torch) -> Finding:
    """Why a driver that is new enough gives torch no GPU."""
    driver, variable = facts.driver, "CUDA_VISIBLE_DEVICES"
    assert driver is not None
    if _hides(facts, variable):
        return Finding(
            f"{variable} is `{facts.environment[variable]}`, which hides every GPU", f"unset {variable} to use them", mismatch=False
        )
    if driver.status in _STATUS:
        return Finding(*_STATUS[driver.status])
    if "version mismatch" in driver.said:
        return Finding(*_STATUS[803])
    if facts.container and not facts.nodes:
        return Finding("the machine has NVIDIA's driver, and no GPU was given to this container", "start the container with --gpus all")
    if driver.status is None:
        what = "the driver is here, and its library is not found"
        return Finding(what, "start the container with --gpus all" if facts.container else new_driver(facts, number(torch.cuda or "12")[0]))
    if variable in facts.environment and driver.gpus:
        return Finding(
            f"{variable} is `{facts.environment[variable]}`, and no such GPU is here",
            f"unset {variable}, or name what `nvidia-smi -L` lists",
        )
    if driver.status == 100 and not driver.gpus:
        return Finding("NVIDIA's driver is here, and no GPU that it could use; torch runs on the CPU", mismatch=False)
    return Finding(f"torch cannot use the GPU: {torch.said}", "see whether `nvidia-smi` lists it, and restart the machine if it does not")


def _hides(facts: Facts, variable: str) -> bool:
    """Whether the variable leaves no GPU: it is empty, or begins with a number that none has."""
    value = facts.environment.get(variable)
    return value is not None and (not value.strip() or value.strip().startswith("-1"))


def compiled_for(capability: tuple[int, int], archs: tuple[str, ...]) -> bool:
    """Whether one of these kernels runs on such a GPU: its generation's and not newer, or in a form that is translated when it starts."""
    if not archs:
        return True
    for arch in archs:
        kind, _, text = arch.partition("_")
        digits = re.match(r"(\d+)(\d)([a-z]?)$", text)
        if digits is None:
            continue
        made_for = int(digits[1]), int(digits[2])
        if digits[3] == "a":
            able = made_for == capability
        elif kind == "compute":
            able = made_for <= capability
        else:
            able = made_for[0] == capability[0] and made_for[1] <= capability[1]
        if able:
            return True
    return False


def _uncompiled(device: Device, torch: Torch) -> Finding:
    major, minor = device.capability
    what = f"{device.name} has capability {major}.{minor}, and this torch is compiled for {', '.join(torch.archs)} only"
    # Wheels for CUDA 12.8 brought Blackwell (10.0 and 12.0); those for 12.6 still know what came before Turing (7.5).
    return Finding(what, pip(advice.index((12, 8) if major >= 10 else (12, 6)), again=True))


def _without_cuda(facts: Facts, torch: Torch) -> Iterator[Finding]:
    if facts.system == "Darwin":
        if torch.mps_built and not torch.mps and facts.architecture == "arm64":
            yield Finding("torch is built for Metal, and finds none", "macOS 14 or newer is needed; a virtual machine has no Metal")
        elif not torch.mps_built and facts.architecture == "arm64":
            yield Finding("torch is built without Metal (MPS), on a Mac that has it", torch_for(facts))
    elif facts.driver is not None and _given(facts):
        name = facts.driver.gpus[0] if facts.driver.gpus else "an NVIDIA GPU"
        yield Finding(f"torch is built for the CPU only, and there is {name}", torch_for(facts))
    elif facts.driver is None and "nvidia" in facts.cards:
        newest = advice.WHEELS[0][0]
        how = "start the container with --gpus all" if facts.container else new_driver(facts, newest)
        yield Finding("torch is built for the CPU only, and there is an NVIDIA GPU, without a driver", f"{how}, then {torch_for(facts)}")
    elif facts.rocm:
        yield Finding(
            "torch is built for the CPU only, and there is an AMD GPU",
            f"if ROCm supports it: {pip(advice.ROCM_WHEELS, again=True)}",
            mismatch=False,
        )


def _given(facts: Facts) -> bool:
    """Whether the driver has a GPU for this process: what is in the kernel of a container's host may not be in the container."""
    driver = facts.driver
    return driver is not None and bool(
        driver.gpus or facts.nodes and driver.status not in (None, 100) or "nvidia" in facts.cards and not facts.container
    )

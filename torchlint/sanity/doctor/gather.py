"""Finds the facts: asks torch and the driver's library in processes of their own, `nvidia-smi`, and what the system shows in files."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from torchlint.sanity.doctor import asked
from torchlint.sanity.doctor.facts import Device, Driver, Facts, Torch

TIME_LIMIT = 120.0
"""Seconds that one question may take. Importing torch takes a few, from a slow disk many."""

_VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HSA_OVERRIDE_GFX_VERSION", "LD_LIBRARY_PATH")
_MAKERS = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}
_GPU = re.compile(r"0x(0300|0302|1200)")
"""Classes of devices on the bus: displays, GPUs without one, accelerators."""


def gather() -> Facts:
    system = platform.system()
    told = _ask("torch")
    failure = told.get("failure", "")
    return Facts(
        python=platform.python_version(),
        system=system,
        architecture=platform.machine(),
        wsl="microsoft" in _read("/proc/sys/kernel/osrelease").lower(),
        container=any(os.path.exists(each) for each in ("/.dockerenv", "/run/.containerenv")),
        rosetta=system == "Darwin" and _output("sysctl", "-n", "sysctl.proc_translated")[0].strip() == "1",
        torch=None if failure else _torch(told),
        failure=failure,
        driver=driver(),
        cards=_cards(),
        nodes=system != "Linux" or os.path.exists("/dev/dxg") or any(Path("/dev").glob("nvidia[0-9]*")),
        rocm=os.path.exists("/dev/kfd"),
        environment={name: os.environ[name] for name in _VARIABLES if name in os.environ},
        shadow=_shadow(told.get("path")),
    )


def driver() -> Driver | None:
    """NVIDIA's driver, from what speaks of it."""
    answer, complaint = _output("nvidia-smi")
    library = _ask("driver")
    kernel = re.search(r"Kernel Module (?:for \S+ )?\s*(\d+(?:\.\d+)+)", _read("/proc/driver/nvidia/version"))
    header = re.search(r"Driver Version: *(\S+)", answer)
    runs = re.search(r"CUDA Version: *(\d+\.\d+)", answer)
    found = Driver(
        version=header[1] if header else kernel[1] if kernel else None,
        cuda=library.get("cuda") or (runs[1] if runs else None),
        status=library.get("status"),
        said=complaint,
        gpus=tuple(re.findall(r"^GPU \d+: (.*?)(?: \(UUID.*)?$", _output("nvidia-smi", "-L")[0], re.MULTILINE)) if header else (),
    )
    return found if found != Driver() else None


def _torch(told: dict[str, Any]) -> Torch:
    devices = tuple(Device(each["name"], tuple(each["capability"]), each["memory"]) for each in told["devices"])
    return Torch(**{**told, "devices": devices, "archs": tuple(told["archs"])})


def _ask(what: str) -> dict[str, Any]:
    """What `asked` answers, or how its process ended."""
    with tempfile.TemporaryDirectory(prefix="torchlint-", ignore_cleanup_errors=True) as folder:
        outcome = Path(folder, "outcome.json")
        command = [sys.executable, str(Path(asked.__file__)), what, str(outcome)]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False, timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            return {"failure": f"it was still being imported after {TIME_LIMIT:g} seconds"}
        if outcome.exists():
            answer: dict[str, Any] = json.loads(outcome.read_text(encoding="utf-8"))
            return answer
        last = (done.stderr.strip().splitlines() or ["no word on standard error"])[-1]
        return {"failure": f"importing it ends the process with status {done.returncode}: {last}"}


def _output(*command: str) -> tuple[str, str]:
    """What a program prints, and what it prints if it fails; nothing where there is no such program."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "", ""
    return (done.stdout, "") if done.returncode == 0 else ("", " ".join((done.stdout + " " + done.stderr).split()))


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _cards() -> frozenset[str]:
    """The makers of the GPUs on the bus, where the system shows it."""
    folders = Path("/sys/bus/pci/devices").glob("*")
    makers = (_MAKERS.get(_read(f"{each}/vendor").strip()) for each in folders if _GPU.match(_read(f"{each}/class")))
    return frozenset(filter(None, makers))


def _shadow(path: str | None) -> str | None:
    for name in ("torch.py", "torch/__init__.py"):
        if Path(name).is_file() and (path is None or not os.path.samefile(Path(name).parent, path)):
            return name
    return None

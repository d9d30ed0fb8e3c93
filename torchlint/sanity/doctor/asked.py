"""What runs in a process of its own and may end it: torch is imported, or the driver's library is started. Writes JSON to a file.

`python asked.py torch OUTCOME` or `python asked.py driver OUTCOME`. Imports nothing of torchlint.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any


def torch() -> dict[str, Any]:
    """The fields of `facts.Torch`, or why it cannot be imported."""
    try:
        import torch
    except BaseException as error:  # noqa: BLE001 - whatever stands in the way is what was asked for
        return {"failure": f"{type(error).__name__}: {error}"}
    if not hasattr(torch, "__version__"):
        return {"failure": f"there is no torch in {list(getattr(torch, '__path__', []))}, only a folder of that name"}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
        said = "" if available else _why_not(torch)
    # What was warned of tells more than the exception after it.
    said = next((str(each.message) for each in warned if "CUDA" in str(each.message) or "HIP" in str(each.message)), said)
    return {
        "version": str(torch.__version__),
        "path": str(Path(torch.__file__).parent),
        "cuda": torch.version.cuda,
        "hip": getattr(torch.version, "hip", None),
        "xpu": getattr(torch.version, "xpu", None),
        "available": available,
        "said": "" if available else " ".join(said.split(" (Triggered internally")[0].split()),
        "devices": [_device(torch, index) for index in range(torch.cuda.device_count())] if available else [],
        "archs": torch.cuda.get_arch_list() if available else [],
        "cudnn": _dotted(torch.backends.cudnn.version()) if torch.backends.cudnn.is_available() else None,
        "mps_built": torch.backends.mps.is_built(),
        "mps": torch.backends.mps.is_available(),
    }


def _why_not(torch: Any) -> str:
    try:
        torch.cuda.init()
    except Exception as error:  # noqa: BLE001 - its message is the answer
        return str(error)
    return "torch finds no GPU"


def _device(torch: Any, index: int) -> dict[str, Any]:
    found = torch.cuda.get_device_properties(index)
    return {"name": found.name, "capability": [found.major, found.minor], "memory": found.total_memory}


def _dotted(version: int | None) -> str | None:
    """cuDNN's number as it is written: 90100 is 9.1.0, and 8907 was 8.9.7."""
    if version is None:
        return None
    thousands = 10000 if version >= 90000 else 1000
    return f"{version // thousands}.{version % thousands // 100}.{version % 100}"


def driver() -> dict[str, Any]:
    """What the driver's library says: the newest CUDA that it runs, and whether it can be started."""
    import ctypes

    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return {"cuda": None, "status": None}
    number = ctypes.c_int()
    known = library.cuDriverGetVersion(ctypes.byref(number)) == 0 and number.value > 0
    return {"cuda": f"{number.value // 1000}.{number.value % 1000 // 10}" if known else None, "status": library.cuInit(0)}


if __name__ == "__main__":
    what, outcome = sys.argv[1:]
    sys.path.pop(0)  # the folder of this file, in which nobody should find modules
    Path(outcome).write_text(json.dumps({"torch": torch, "driver": driver}[what]()), encoding="utf-8")

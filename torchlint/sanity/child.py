"""The process in which one program of a scenario runs, in a folder of its own that holds the program and gets the outcome.

Everything random is seeded and every algorithm made deterministic before the program's text is executed. An exception of the program is an
outcome like any other; what it prints is captured. A job without a program asks which devices this machine has.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import random
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

SEED = 20240229


PROGRAM, OUTCOME, ERRORS = "scenario.py", "outcome.json", "errors.txt"
"""The files in the folder. The program's module goes by one name in every process, so that its classes do as well."""


def work(job: dict[str, Any], folder: str) -> None:
    """The whole of the process. Its standard error goes into the folder; what is printed past Python's `print` is nobody's."""
    os.chdir(folder)
    with open(ERRORS, "wb") as errors, open(os.devnull, "wb") as nothing:
        os.dup2(errors.fileno(), 2)
        os.dup2(nothing.fileno(), 1)
    # cuBLAS is deterministic only with a workspace that was chosen before CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    outcome = run(job, Path(folder, PROGRAM)) if "text" in job else devices()
    Path(folder, OUTCOME).write_text(json.dumps(outcome), encoding="utf-8")


def devices() -> dict[str, Any]:
    """Torch's version, and for each kind of device its name or why there is none."""
    import torch

    present = {"cpu": "CPU"}
    absent: dict[str, str] = {}
    if torch.cuda.is_available():
        present["cuda"] = torch.cuda.get_device_name()
    else:
        built = torch.version.cuda or torch.version.hip
        absent["cuda"] = "torch finds no GPU" if built else f"torch {torch.__version__} is built without CUDA"
    if torch.backends.mps.is_available():
        present["mps"] = "Metal"
    else:
        built = torch.backends.mps.is_built()
        absent["mps"] = "torch finds no Metal device" if built else f"torch {torch.__version__} is built without MPS"
    return {"torch": torch.__version__, "present": present, "absent": absent}


def run(job: dict[str, Any], path: Path) -> dict[str, Any]:
    """Run the program once for what it does, then again, if asked, for what it costs."""
    import torch

    from torchlint.sanity import measure, observe

    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.set_num_threads(1)
    device = torch.device(job["device"])
    outcome: dict[str, Any] = {"raised": None, "message": "", "trace": "", "unusable": None, "result": None, "random": {}, "costs": {}}
    with redirect_stdout(io.StringIO()) as printed:
        try:
            seed()
            module = _load(path)
            program = getattr(module, job["function"])
            seed()
            value = program(device)
            outcome["random"] = observe.generators(device.type)
            outcome["printed"] = printed.getvalue()
            outcome["result"] = observe.result(value)
            if job["example"]:
                observe.behaviour(value, outcome["result"], lambda: module.example(device), seed)
            if job["measure"]:

                def again(steps: int) -> object:
                    seed()
                    return program(device, steps=steps)

                outcome["costs"] = measure.per_step(again, tuple(job["steps"]), job["device"])
        except observe.UnobservableError as error:
            outcome["unusable"] = str(error)
        except Exception as error:  # noqa: BLE001 - whatever the program raises is its outcome
            told = {"raised": type(error).__name__, "message": str(error), "trace": traceback.format_exc()}
            outcome |= told | {"printed": printed.getvalue()}
    return outcome


def _load(path: Path) -> ModuleType:
    """The program as a module with a name, so that what it defines can be pickled and its source be read."""
    name = Path(PROGRAM).stem
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def seed() -> None:
    """Start every random generator that is there from the same place."""
    import torch

    random.seed(SEED)
    torch.manual_seed(SEED)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(SEED)

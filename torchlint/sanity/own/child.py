"""The process in which the user's program runs, as fresh `__main__`, until it has taken enough steps.

What it prints goes to a file in the order in which it is printed, what it reads is empty, and how it ended is the last event of the record.
"""

from __future__ import annotations

import functools
import importlib.util
import multiprocessing
import os
import sys
import traceback
from importlib.machinery import SourceFileLoader
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from torchlint.sanity import child
from torchlint.sanity.own.loading import Files, Place, Served, install
from torchlint.sanity.own.writing import Writer

OUTPUT, RECORD = "output.txt", "record.jsonl"
"""The files in the folder that the parent reads meanwhile."""


class Enough(BaseException):
    """Ends the program after its last step that matters."""


class _NotFound(Exception):
    """There is no such module."""


def work(job: dict[str, Any], folder: str, connection: Connection) -> None:
    """The whole of the process."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()  # so that whatever the program starts can be ended with it
    _streams(Path(folder, OUTPUT))
    _surroundings(job)
    writer = Writer(Path(folder, RECORD))
    files = Files(functools.partial(_ask, job, connection, os.getpid()), lambda path: writer.write("file", path=path))

    import torch

    from torchlint.sanity.own.recorder import Recorder

    child.seed()
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    recorder = Recorder(writer, files, job["steps"], Enough, further=job["further"], by_backwards=job["by_backwards"], device=job["device"])
    recorder.install()
    install(files, recorder.reached)
    child.seed()
    writer.write("start", torch=torch.__version__)
    end = _run(job, files)
    recorder.rest()
    writer.write("end", **end)
    sys.stdout.flush()
    sys.stderr.flush()


def _streams(output: Path) -> None:
    into = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, number in ((nothing, 0), (into, 1), (into, 2)):
        os.dup2(descriptor, number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  as long as the process lives
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


def _surroundings(job: dict[str, Any]) -> None:
    """What a program finds that was started by itself, and not by us."""
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    # cuBLAS is deterministic only with a workspace that was chosen before CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    multiprocessing.current_process().name = "MainProcess"
    multiprocessing.set_start_method(None, force=True)


def _ask(job: dict[str, Any], connection: Connection, process: int, path: str) -> Served | None:
    if path in job["texts"]:
        return Served(job["texts"][path])
    if os.getpid() != process or not job["ask"]:  # several processes cannot share one connection
        return None
    connection.send(path)
    text, places = connection.recv()
    return None if text is None else Served(text, [Place(*each) for each in places])


def _run(job: dict[str, Any], files: Files) -> dict[str, Any]:
    """How the program ended."""
    try:
        _main(job, files)
    except Enough as error:
        error.__traceback__ = None  # its frames hold the program's loaders and their workers
        return {"how": "stopped"}
    except SystemExit as error:
        if error.code is not None and not isinstance(error.code, int):
            print(error.code, file=sys.stderr)
        return {"how": "finished", "status": error.code if isinstance(error.code, int) else int(error.code is not None)}
    except _NotFound as error:
        return {"how": "not found", "trace": str(error)}
    except BaseException as error:  # noqa: BLE001  whatever the program raises is how it ended
        trace = _programs_own(error.__traceback__)
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return {"how": "crashed", "trace": "".join(traceback.format_exception(type(error), error, trace)), "status": 1}
    return {"how": "finished", "status": 0}


def _programs_own(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that begins in the program."""
    while trace is not None and Path(trace.tb_frame.f_code.co_filename).parent == Path(__file__).parent:
        trace = trace.tb_next
    return trace


def _main(job: dict[str, Any], files: Files) -> None:
    target, arguments = job["target"], job["arguments"]
    module = ModuleType("__main__")
    sys.path[:] = job["path"]
    if job["module"]:
        sys.path.insert(0, job["folder"])
        path = _found(target, module)
    else:
        path = str(Path(job["folder"], target))
        sys.path.insert(0, str(Path(path).resolve().parent))
        module.__loader__ = SourceFileLoader("__main__", path)
    module.__file__ = path
    module.__dict__.update(__cached__=None, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    sys.argv[:] = [path if job["module"] else target, *arguments]
    exec(files.code(path), module.__dict__)


def _found(name: str, module: ModuleType) -> str:
    """The file of a module that is run with `-m`."""
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        spec = None
    if spec is None or not isinstance(spec.loader, SourceFileLoader) or spec.origin is None:
        raise _NotFound(f"No module named {name}")
    module.__spec__, module.__package__, module.__loader__ = spec, spec.parent, spec.loader
    return spec.origin

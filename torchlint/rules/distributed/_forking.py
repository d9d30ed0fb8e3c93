"""Processes that are forked from one that has set up CUDA already, and then use it themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.value import Function

_FORKING = tuple(f"{package}.{name}" for package in ("multiprocessing", "torch.multiprocessing") for name in ("Process", "Pool"))
_STARTED_ANEW = re.compile(r"""["'](?:spawn|forkserver)["']""")
"""The program chooses how its processes begin."""
_SETTING_UP = frozenset(
    f"torch.cuda.{name}"
    for name in "init current_device get_device_name get_device_properties get_device_capability synchronize mem_get_info".split()
)
"""Functions that need CUDA at once. Those that seed or empty a cache wait until it is set up, and counting devices does not set it up."""


def forked(file: FileAnalysis) -> Iterator[tuple[cst.Call, Node, Node]]:
    """The calls that make processes by forking, each with where CUDA is set up before, and where the process uses it."""
    if file.is_written(_STARTED_ANEW):
        return
    for call in file.calls(*_FORKING):
        before = next((each for each in _uses(file, file.function(call)) if file.is_after(call, each)), None)
        within = _within(file, call) if before is not None else None
        if before is not None and within is not None:
            yield call, before, within


def _within(file: FileAnalysis, call: cst.Call) -> Node | None:
    """Where the function that a process runs, if it stands in this file, uses CUDA."""
    given = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value in ("target", "initializer")), None)
    named = [given] if given is not None else [*_mapped(file, call)]
    for each in named:
        run = file.value(each).definition
        if isinstance(run, Function) and run.file is file:
            return next(_uses(file, run.node), None)
    return None


def _mapped(file: FileAnalysis, call: cst.Call) -> Iterator[Node]:
    """What a pool runs: `with Pool() as pool: pool.map(f, x)`, `pool = Pool()`."""
    above = file.parent(call)
    target: Node | None = above.asname.name if isinstance(above, cst.WithItem) and above.asname is not None else None
    if isinstance(above, cst.Assign) and len(above.targets) == 1:
        target = above.targets[0].target
    for use in file.references(target) if isinstance(target, cst.Name) else ():
        method = file.parent(use)
        asked = file.parent(method) if isinstance(method, cst.Attribute) else None
        if isinstance(asked, cst.Call) and asked.args:
            yield asked.args[0].value


def _uses(file: FileAnalysis, function: Node) -> Iterator[Node]:
    """Where the code of a function itself needs CUDA, in document order."""
    for call in file.inside(function, cst.Call):
        if file.function(call) is function and _is_on_gpu(file, call):
            yield call


def _is_on_gpu(file: FileAnalysis, call: cst.Call) -> bool:
    path = file.qualname(call.func)
    if path is not None:
        device = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "device"), None)
        return path in _SETTING_UP or path.startswith("torch.") and device is not None and _is_cuda(file, device)
    if not isinstance(call.func, cst.Attribute):
        return False
    name, given = call.func.attr.value, [arg.value for arg in call.args]
    return name == "cuda" and len(given) < 2 or name == "to" and bool(given) and _is_cuda(file, given[0])


def _is_cuda(file: FileAnalysis, node: Node) -> bool:
    """`"cuda:0"`, `torch.device("cuda")`, or a name for one of them."""
    if isinstance(node, cst.Name):
        binding = file.names.definition(node)
        return (
            binding is not None and binding.value is not None and not isinstance(binding.value, cst.Name) and _is_cuda(file, binding.value)
        )
    if isinstance(node, cst.Call) and file.qualname(node.func) == "torch.device" and node.args:
        node = node.args[0].value
    text = literal(node)
    return isinstance(text, str) and text.partition(":")[0] == "cuda"

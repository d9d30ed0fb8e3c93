"""What worker processes run, and what of it uses a GPU."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.data._loaders import Loader, fetching, loaders
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Function, Kind, Place

_SPAWNS = re.compile(r"set_start_method\s*\(|get_context\s*\(|\bmultiprocessing_context\s*=")


@dataclass(frozen=True, eq=False)
class InWorker:
    """A place that sends a tensor to a GPU in a worker process."""

    file: FileAnalysis
    call: cst.Call
    loader: Loader
    called: str
    """What the loader calls: `__getitem__`, or the function that makes batches."""


def cuda_in_workers(file: FileAnalysis) -> Iterator[InWorker]:
    """The first such place of each dataset and each function that makes batches, of loaders that certainly have workers."""
    if file.is_written(_SPAWNS):
        return  # processes that are started afresh may use a GPU
    seen: set[Node] = set()
    for loader in loaders(file):
        workers = loader.setting("num_workers")
        if not isinstance(workers, int) or workers < 1:
            continue
        for home, function in _run_by(loader):
            call = next((call for call in home.inside(function, cst.Call) if _uses_gpu(home, call)), None)
            if call is not None and call not in seen:
                seen.add(call)
                name = function.name.value if isinstance(function, cst.FunctionDef) else "collate_fn"
                yield InWorker(home, call, loader, name)


def stays_on_cpu(loader: Loader) -> bool:
    """Whether nothing that a loader runs, and nothing that its dataset holds, is seen to use a GPU."""
    dataset = loader.given("dataset")
    if any(_uses_gpu(home, call) for home, function in _run_by(loader) for call in home.inside(function, cst.Call)):
        return False
    if dataset is not None and isinstance(dataset.cls, ClassModel) and isinstance(dataset.cls.file, FileAnalysis):
        home, node = dataset.cls.file, dataset.cls.node
        return not any(_uses_gpu(home, call) for call in home.inside(node, cst.Call))
    return dataset is None or all(each.place is not Place.ACCELERATOR for each in dataset.lineage())


def _run_by(loader: Loader) -> Iterator[tuple[FileAnalysis, cst.FunctionDef | cst.Lambda]]:
    """What is called for each sample and each batch."""
    dataset = loader.given("dataset")
    if dataset is not None and isinstance(dataset.cls, ClassModel) and isinstance(dataset.cls.file, FileAnalysis):
        for each in fetching(dataset.cls):
            yield dataset.cls.file, each
    collate = loader["collate_fn"]
    if isinstance(collate, cst.Lambda):
        yield loader.file, collate
    elif collate is not None:
        if isinstance(collate, cst.Call) and loader.file.qualname(collate.func) == "functools.partial" and collate.args:
            collate = collate.args[0].value
        function = loader.file.value(collate).definition
        if isinstance(function, Function) and isinstance(function.file, FileAnalysis) and isinstance(function.node, cst.FunctionDef):
            yield function.file, function.node


def _uses_gpu(file: FileAnalysis, call: cst.Call) -> bool:
    """`x.cuda()`, `x.to("cuda")`, `torch.tensor(x, device="cuda")`, where nothing but whether there is a GPU decides."""
    func = call.func
    path = file.qualname(func)
    given: list[cst.BaseExpression]
    if isinstance(func, cst.Attribute) and path is None and func.attr.value in ("cuda", "to"):
        if file.value(func.value).kind in (Kind.OBJECT, Kind.OTHER):
            return False
        given = [arg.value for arg in call.args if arg.keyword is None or arg.keyword.value == "device"][:1]
        is_sent = func.attr.value == "cuda"
    else:
        given = [arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "device"]
        is_sent = False
        if not (path or "").startswith("torch."):
            return False
    if not is_sent and not any(_is_gpu(file, each) for each in given):
        return False
    return all("is_available" in file.source(each.test) for each in when(file, call) if isinstance(each.test, cst.BaseExpression))


def _is_gpu(file: FileAnalysis, node: Node) -> bool:
    """A device that is a GPU where there is one."""
    if isinstance(node, cst.Name):
        binding = file.names.definition(node)
        if binding is None or binding.value is None:
            return False
        node = binding.value
    if isinstance(node, cst.Call) and file.qualname(node.func) == "torch.device" and node.args:
        node = node.args[0].value
    if isinstance(node, cst.IfExp) and "is_available" not in file.source(node.test):
        return False
    return any(isinstance(text := literal(each), str) and text.partition(":")[0] == "cuda" for each in descendants(node))

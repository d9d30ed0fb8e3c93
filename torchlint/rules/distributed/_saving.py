"""Checkpoints that every rank of a program writes: nothing on the way to `torch.save` asks which rank it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.model.conditions import when
from torchlint.model.program import Program
from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.distributed._ranks import speaks_of_ranks
from torchlint.rules.distributed._wrapping import DDP
from torchlint.syntax.tree import Node

_CHOSEN = re.compile(r"rank|main|master|chief|primary|leader|writer|distributed|multi_?gpu|ddp|local|coordinator|process", re.IGNORECASE)
"""Words of a question that may let one rank pass."""
_FAR = 4


def written_by_all(file: FileAnalysis) -> Iterator[cst.Call]:
    """The calls of `torch.save` that every rank comes to, all of them with the same path."""
    if next(file.calls(DDP), None) is None or Program(file).managers:
        return
    for call in file.calls("torch.save"):
        if not any(speaks_of_ranks(arg.value) or _is_named_by_rank(file, arg.value) for arg in call.args) and _is_for_all(file, call, _FAR):
            yield call


def _is_named_by_rank(file: FileAnalysis, path: Node) -> bool:
    """Whether a name in a path is made of the rank."""
    names = [path] if isinstance(path, cst.Name) else [*file.inside(path, cst.Name)]
    values = (each.value for name in names for each in file.names.bindings(name))
    return any(each is not None and speaks_of_ranks(each) for each in values)


def _is_for_all(file: FileAnalysis, node: Node, far: int) -> bool:
    """Whether no question on the way is about the rank, here and where the function is called; False where that is out of sight."""
    questions = (file.source(each.test) for each in when(file, node))
    if far == 0 or any(_CHOSEN.search(each.replace("__main__", "")) for each in questions):
        return False
    function = file.function(node)
    if not isinstance(function, cst.FunctionDef):
        return isinstance(function, cst.Module)
    mentioned = list(callers.mentions(file, function, elsewhere=False))
    if _is_started(file, mentioned):
        return True
    calls = [each for each in mentioned if isinstance(each, cst.Call)]
    return not file.is_named_elsewhere(function.name.value) and any(_is_for_all(file, each, far - 1) for each in calls)


def _is_started(file: FileAnalysis, mentions: list[Node]) -> bool:
    """Whether a function is handed to what starts the processes."""
    around = (each for mention in mentions for each in file.ancestors(mention) if isinstance(each, cst.Call))
    return any(
        (file.qualname(each.func) or "") in ("torch.multiprocessing.spawn", "torch.multiprocessing.start_processes") for each in around
    )

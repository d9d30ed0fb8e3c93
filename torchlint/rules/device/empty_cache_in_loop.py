"""The allocator's cache is emptied for every batch."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.device._each_batch import EachBatch

_EMPTYING = tuple(f"torch.{module}.empty_cache" for module in ("cuda", "cuda.memory", "mps", "xpu", "accelerator.memory"))


@rule("TL407", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("empty_cache",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    batches = EachBatch(file.analysis)
    for call in file.calls(*_EMPTYING):
        loop = batches.around(call)
        if loop is None:
            continue  # once, between phases, every so many steps, or after an error
        yield Finding(
            call,
            f"`{file.source(call)}` for every batch waits for the device and gives back memory that the next batch asks for again",
            help="leave it out: cached memory is free for the next tensors",
            fix=rewrite.delete_statement(call).saying("leave the cache alone") if isinstance(file.parent(call), cst.Expr) else None,
            related=((loop.name, "called for every batch"),)
            if isinstance(loop, cst.FunctionDef)
            else ((loop.target if isinstance(loop, cst.For) else loop.test, "in this loop"),),
            is_for_askers=isinstance(loop, cst.For) and _only_counts(file, loop),
        )


def _only_counts(file: FileModel, loop: cst.For) -> bool:
    """Whether a loop goes over no data but so many times, as where all of them fit at once, or model after model is let go."""
    calls = (each.node for each in file.value(loop.iter).lineage() if isinstance(each.node, cst.Call))
    return any(isinstance(each.func, cst.Name) and each.func.value == "range" and len(each.args) == 1 for each in calls)

"""A weight that is written to in place while gradients are recorded, which torch refuses."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.autograd._leaf_writes import writes


@rule("TL113", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("requires_grad", "Parameter", ".grad"))
def check(file: FileModel) -> Iterator[Finding]:
    for write, leaf in writes(file.analysis):
        yield Finding(
            write,
            f"`{file.source(leaf)}` is a leaf that takes gradients: to write to it in place raises an exception",
            help="write to it under `torch.no_grad()`",
            fix=_without_gradients(file, write),
        )


def _without_gradients(file: FileModel, write: cst.CSTNode) -> Fix | None:
    """A block of its own, where the write is a statement of one row."""
    statement = write if not isinstance(write, cst.Call) else file.parent(write)
    name = file.spelling("torch.no_grad", write)
    if name is None or not isinstance(statement, (cst.Expr, cst.Assign, cst.AugAssign)) or "\n" in file.source(statement):
        return None
    if isinstance(write, cst.Call) and not isinstance(statement, cst.Expr):
        return None
    return rewrite.replace_statement(write, f"with {name}():\n    {file.source(statement)}")

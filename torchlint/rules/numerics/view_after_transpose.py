"""A view of a tensor whose dimensions were turned, into fewer dimensions than its memory has pieces."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, Finding, rule
from torchlint.rules.numerics._layouts import dimensions_of, turned
from torchlint.values.value import Kind


@rule("TL619", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=(".view(",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.methods("view"):
        dimensions = dimensions_of(call)
        if dimensions is None or not isinstance(call.func, cst.Attribute):
            continue  # a shape by name, or a type
        found = turned(file.analysis, call.func.value)
        if found is None or found.pieces <= dimensions:
            continue  # made contiguous, or as many dimensions as pieces
        if file.value(found.base).kind not in (Kind.TENSOR, Kind.UNKNOWN) or "channels_last" in file.text:
            continue  # an array; or memory in another order to begin with
        if any(isinstance(each, (cst.Try, cst.TryStar)) for each in file.ancestors(call)):
            continue  # somebody reckons with it
        yield Finding(
            call,
            f"after `{_called(file, found.node)}` the memory is in {found.pieces} pieces or more: `view` into {dimensions} raises",
            help="use `reshape`, which copies where it must",
            fix=rewrite.rename_attribute(call.func, "reshape"),
            related=((found.node, "turned here"),) if found.node is not call.func.value else (),
        )


def _called(file: FileModel, node: cst.BaseExpression) -> str:
    """The call without what it is made on: `transpose(1, 2)`."""
    func = node.func if isinstance(node, cst.Call) else node
    return file.source(node)[len(file.source(func.value)) + 1 :].lstrip(". ") if isinstance(func, cst.Attribute) else file.source(node)

"""A list of tensors in a list of its own, handed to `torch.stack`, which wants the tensors."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.facts.tensors import JOINING
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, Finding, rule
from torchlint.values.value import Kind


@rule("TL617", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("stack(", "cat(", "concat"))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls("torch.stack", *JOINING):
        given = next((arg.value for arg in call.args if not arg.star and (arg.keyword is None or arg.keyword.value == "tensors")), None)
        if not isinstance(given, (cst.List, cst.Tuple)) or len(given.elements) != 1 or isinstance(given.elements[0], cst.StarredElement):
            continue  # the list itself, or several tensors
        inner = given.elements[0].value
        value = file.value(inner)
        if value.kind not in (Kind.LIST, Kind.TUPLE) or value.optional or value.is_joined:
            continue  # one tensor, or not known to be a list
        if any(isinstance(each, (cst.Try, cst.TryStar)) for each in file.ancestors(call)):
            continue  # somebody reckons with it
        told = isinstance(value.node, cst.Param)
        holds = value.elem is not None and value.elem.is_tensor or bool(value.items) and all(each.is_tensor for each in value.items or ())
        yield Finding(
            call,
            f"`{file.source(call.func)}` is given a list whose only element is the list `{file.source(inner)}`: it raises",
            help="leave the outer brackets away",
            fix=rewrite.replace(given, file.source(inner, whole=True)) if holds and not told else None,
        )

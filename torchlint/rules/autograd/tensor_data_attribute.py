"""`.data` of a tensor with a graph: what is written to it, backward does not see."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, UNSAFE, WARNING, Finding, rule
from torchlint.rules.autograd._detached import (
    Done,
    done_with,
    has_no_dimension,
    is_its_own,
    is_masked,
    is_only_read,
    is_written,
    is_written_by_name,
    may_be_leaf,
)


@rule("TL107", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=(".data",))
def check(file: FileModel) -> Iterator[Finding]:
    for attribute in file.nodes(cst.Attribute):
        if attribute.attr.value != "data":
            continue
        tensor = file.value(attribute.value)
        if not tensor.is_tensor or not tensor.has_graph or may_be_leaf(tensor):
            continue  # a weight, which nothing was computed into, or may be one; without a graph; no tensor at all; or nothing is known
        supported = file.torch(attribute)
        if supported.is_doubtful or supported.oldest < (0, 4):
            continue  # torch as old as 0.3 knows nothing else
        name, done = file.source(attribute.value), done_with(file.analysis, attribute)
        if done is Done.WRITTEN:
            yield Finding(
                attribute,
                f"what is written to `{name}.data` changes values that `backward` computes with, and it does not notice",
                help="compute a new tensor, or write under `torch.no_grad()`, where autograd keeps watch",
                is_for_askers=is_masked(file.analysis, attribute),  # scores, ahead of a softmax that gives them no gradient anyway
            )
            continue
        if has_no_dimension(tensor) and _is_first_element(file.parent(attribute)):
            yield Finding(attribute, f"`{name}` has no dimension: `.data[0]` raises an IndexError", help=f"write `{name}.item()`")
            continue
        if done is Done.READ or is_its_own(file.analysis, attribute.value):
            continue  # gone with the expression, as a number, an array or a copy; or of memory that nothing else has
        is_harmless = is_only_read(file.analysis, attribute) and not is_written(file.analysis, attribute.value)
        yield Finding(
            attribute,
            f"`{name}.data` is out of autograd's sight: what is written to its memory makes gradients wrong without a word",
            help=f"write `{name}.detach()`",
            fix=rewrite.rename_attribute(attribute, "detach()").at_most(SAFE if is_harmless else UNSAFE),
            is_for_askers=not is_written_by_name(file.analysis, attribute),  # else it does today what detach does
        )


def _is_first_element(node: cst.CSTNode | None) -> bool:
    index = node.slice[0].slice if isinstance(node, cst.Subscript) and len(node.slice) == 1 else None
    return isinstance(index, cst.Index) and isinstance(index.value, cst.Integer)

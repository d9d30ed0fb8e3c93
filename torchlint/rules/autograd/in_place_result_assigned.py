"""The result of an in-place operation under a new name: both names are one tensor."""

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.operations import Form
from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule

_FLAGS = frozenset({"requires_grad_", "detach_"})
"""Methods that change what a tensor is to autograd, and none of its elements."""


@rule("TL114", severity=INFO, default=False, mentions=("_(",))
def check(file: FileModel) -> Iterator[Finding]:
    for statement in file.nodes(cst.Assign):
        call, target = statement.value, statement.targets[0].target
        if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or not isinstance(target, (cst.Name, cst.Attribute)):
            continue
        tensor = call.func.value
        done = file.operation(call) if call.func.attr.value.endswith("_") and isinstance(tensor, cst.Name) else None
        if (
            done is None
            or done.name in _FLAGS
            or done.form is not Form.METHOD
            or "self" not in done.operation.changes
            or not isinstance(tensor, cst.Name)
        ):
            continue  # no operation of torch that writes; or what it writes to has no name: `x.clone().mul_(2)`
        if any(file.source(each.target) == tensor.value for each in statement.targets) or not _is_used_again(file, tensor, statement):
            continue  # `x = x.add_(y)`; or the old name is not used any more
        new, old = file.source(target), tensor.value
        yield Finding(
            statement,
            f"`{new}` and `{old}` are one tensor: `{call.func.attr.value}` writes to `{old}` and returns it",
            help=f"write `{new} = {old}.{call.func.attr.value.rstrip('_')}(...)` where `{old}` is to stay as it was",
        )


def _is_used_again(file: FileModel, name: cst.Name, statement: cst.CSTNode) -> bool:
    """Whether the tensor is read under its old name later on, before that names something else; or belongs to the caller."""
    here = {each.question: each.arm for each in file.when(name)}
    others = (each for each in file.references(name) if each is not name and file.is_after(each, name))
    later = [each for each in others if all(here.get(known.question, known.arm) == known.arm for known in file.when(each))]
    if later:
        return not isinstance(file.parent(later[0]), cst.AssignTarget)
    return isinstance(file.value(name).node, cst.Param)

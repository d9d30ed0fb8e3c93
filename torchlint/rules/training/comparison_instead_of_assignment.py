"""A comparison that stands alone as a statement where a setting was meant to be made."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, rule
from torchlint.values.value import Kind

_SETTINGS = "torch.backends."
_OF_GROUPS = frozenset("lr momentum weight_decay betas eps initial_lr".split())


@rule("TL214", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("==",))
def check(file: FileModel) -> Iterator[Finding]:
    for statement in file.nodes(cst.Expr):
        compared = statement.value
        if not isinstance(compared, cst.Comparison) or len(compared.comparisons) != 1:
            continue
        left, right = compared.left, compared.comparisons[0].comparator
        if not isinstance(compared.comparisons[0].operator, cst.Equal) or not _is_set(file, left) or _is_checked(file, statement):
            continue
        text = f"{file.source(left)} = {file.source(right, whole=True)}"
        is_certain = isinstance(left, cst.Attribute) and left.attr.value != "grad" and isinstance(file.literal(right), bool)
        yield Finding(
            compared,
            f"`{file.source(left)}` is compared here and not set: nothing happens",
            help=f"write `{text}`",
            fix=rewrite.replace_statement(statement, text).saying("assign it").at_most(SAFE if is_certain else UNSAFE),
        )


def _is_set(file: FileModel, left: cst.BaseExpression) -> bool:
    """Whether it is a setting of torch's, which programs set: of a tensor, a backend, a group of an optimizer."""
    if isinstance(left, cst.Subscript) and len(left.slice) == 1 and isinstance(left.slice[0].slice, cst.Index):
        return file.literal(left.slice[0].slice.value) in _OF_GROUPS and _is_group(file, left.value)
    if not isinstance(left, cst.Attribute):
        return False
    if left.attr.value in ("requires_grad", "grad"):
        return left.attr.value == "requires_grad" or file.value(left.value).kind is Kind.TENSOR
    return (file.qualname(left) or "").startswith(_SETTINGS)


def _is_group(file: FileModel, group: cst.BaseExpression) -> bool:
    if isinstance(group, cst.Subscript):
        return file.source(group.value).endswith(".param_groups")
    return any(isinstance(each, cst.For) and "param_groups" in file.source(each.iter) for each in file.loops(group))


def _is_checked(file: FileModel, statement: cst.Expr) -> bool:
    """Whether somebody looks at the result, or an assertion was meant: the function makes some, or is a test."""
    if file.is_shown(statement):
        return True
    function = file.function(statement)
    if isinstance(function, cst.FunctionDef) and function.name.value.startswith("test"):
        return True
    return any(file.function(each) is function for each in file.nodes(cst.Assert))

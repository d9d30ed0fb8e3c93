"""`requires_grad` under another name, which Python accepts and torch never looks at."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.facts.signatures import signatures
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, Fix, rule
from torchlint.rules.autograd._flags import flags, is_read
from torchlint.values.value import Graph, Kind, Value

MISSPELT = tuple(
    """require_grad require_grads requires_grads requires_gradient requires_gradients require_gradient require_gradients required_grad
    requiers_grad requries_grad reqiures_grad reqires_grad requre_grad requres_grad required_gradient""".split()
)


@rule("TL104", severity=ERROR, fix=SAFE, effect=REPAIRS, aliases=("TOR002",), mentions=MISSPELT)
def check(file: FileModel) -> Iterator[Finding]:
    for name in (each for each in MISSPELT if each in file.text):
        for flag in flags(file.analysis, name):
            owner = file.value(flag.owner)
            if owner.kind not in (Kind.TENSOR, Kind.MODULE) or is_read(file.analysis, name):
                continue  # an object of somebody else's, or unknown; or the program has an attribute of that name, and uses it
            fix = rewrite.rename_attribute(flag.attribute, "requires_grad")
            if owner.kind is Kind.MODULE:  # whose own `requires_grad` nobody looks at either
                fix = rewrite.replace_statement(flag.statement, f"{file.source(flag.owner)}.requires_grad_({file.source(flag.value)})")
            sure = _is_settable(owner, file.literal(flag.value)) and flag.is_alone
            yield _finding(flag.attribute, name, fix if sure else fix.at_most(UNSAFE) if flag.is_alone else None)
    for call in file.nodes(cst.Call):
        if isinstance(call.func, cst.Name) and call.func.value == "setattr" and len(call.args) == 3:
            owner, named = file.value(call.args[0].value), file.literal(call.args[1].value)
            if owner.is_tensor and isinstance(named, str) and named in MISSPELT and not is_read(file.analysis, named):
                fix = rewrite.replace(call.args[1].value, '"requires_grad"')
                yield _finding(call, named, fix if _is_settable(owner, file.literal(call.args[2].value)) else fix.at_most(UNSAFE))
            continue
        for argument in call.args:
            if argument.keyword is not None and argument.keyword.value in MISSPELT and _takes_it(file, call):
                yield _finding(argument, argument.keyword.value, rewrite.rename_keyword(argument, "requires_grad"))


def _finding(node: cst.CSTNode, name: str, fix: Fix | None) -> Finding:
    return Finding(node, f"`{name}` is no attribute of torch: nothing is frozen or trained by it", help="write `requires_grad`", fix=fix)


def _takes_it(file: FileModel, call: cst.Call) -> bool:
    """Whether what is called is torch's own, and has the parameter that is meant."""
    path = file.qualname(call.func)
    if path is None and isinstance(call.func, cst.Attribute) and file.value(call.func.value).is_tensor:
        path = f"torch.Tensor.{call.func.attr.value}"
    return any("requires_grad" in each for each in signatures(path or ""))


def _is_settable(owner: Value, wanted: object) -> bool:
    """Whether torch takes the value: of results it refuses any, and whole numbers have no gradients."""
    return wanted is False and (owner.kind is Kind.MODULE or owner.leaf or owner.graph is Graph.NO)

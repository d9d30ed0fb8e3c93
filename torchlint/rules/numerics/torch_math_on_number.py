"""A function of torch on one of Python's numbers, which it does not take."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.facts.operations import Form
from torchlint.model import FileModel
from torchlint.model.operations import Use
from torchlint.rule import ERROR, REPAIRS, SAFE, Finding, Fix, rule
from torchlint.rules.numerics._plain import plain_number

_OF_MATH = frozenset(
    """sqrt exp log log2 log10 log1p expm1 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc lgamma isnan isinf
    isfinite""".split()
)
"""What `math` calls like torch does."""


@rule("TL614", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("torch",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.nodes(cst.Call):
        if not call.args or not (file.qualname(call.func) or "").startswith("torch.") or any(arg.star for arg in call.args):
            continue
        use = file.operation(call)
        if use is None or use.form is not Form.FUNCTION or not _takes_tensors_alone(use):
            continue  # a constructor, or a function that takes numbers too
        if not all(plain_number(file.analysis, arg.value) is not None for arg in call.args):
            continue  # not known to be a number, or `torch.pow(2, x)`
        if any(isinstance(each, (cst.Try, cst.TryStar)) for each in file.ancestors(call)):
            continue  # somebody reckons with it
        name, first = use.name, file.source(call.args[0].value)
        fix = _fix(file, call, name)
        yield Finding(
            call,
            f"`{file.source(call.func)}` takes tensors alone: of the number `{first}` it raises",
            help=f"use `math.{name}`" if fix is not None else f"make a tensor of it: `torch.tensor({first})`",
            fix=fix,
        )


def _takes_tensors_alone(use: Use) -> bool:
    overloads = use.operation.overloads
    return bool(overloads) and all(each.arguments and each.arguments[0].type == "Tensor" for each in overloads)


def _fix(file: FileModel, call: cst.Call, name: str) -> Fix | None:
    if name not in _OF_MATH or len(call.args) != 1 or call.args[0].keyword is not None or isinstance(file.parent(call), cst.Attribute):
        return None  # `math` has no such function; or a tensor is wanted
    written = file.spelling(f"math.{name}", call)
    if written is not None:
        return rewrite.replace(call.func, written)
    return rewrite.replace(call.func, f"math.{name}") + rewrite.add_import("math")

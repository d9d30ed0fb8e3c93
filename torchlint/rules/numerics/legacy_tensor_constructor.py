"""A constructor from before `torch.tensor`: numbers are a shape to it, and a list is data."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, UNSAFE, WARNING, Finding, Fix, rule
from torchlint.rules.numerics._legacy import Given, Legacy, legacy
from torchlint.rules.numerics._spelling import beside


@rule("TL607", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=("Tensor(", "Tensor as"), default=False)
def check(file: FileModel) -> Iterator[Finding]:
    for made in legacy(file.analysis):
        if made.given is Given.UNKNOWN and not made.is_cuda:
            continue  # a number, a list, an array or a tensor: what is right instead depends on it
        name = file.source(made.call.func)
        fix = _fix(file, made)
        yield Finding(
            made.call,
            _message(made, name),
            help=f"use `{'torch.empty' if made.given in (Given.SIZES, Given.NOTHING) else 'torch.tensor'}`",
            fix=fix if fix is None or made.is_certain else fix.at_most(UNSAFE),
        )


def _message(made: Legacy, name: str) -> str:
    if made.is_cuda:
        return f"`{name}(...)` is a constructor that torch itself warns about, and fails without CUDA"
    if made.given is Given.SIZES:
        return f"`{name}` takes numbers for a shape, and leaves in the memory what was there before"
    if made.given is Given.NOTHING:
        return f"`{name}()` is a constructor of the old kind, to which data and shape are the same"
    if made.whole:
        return f"`{name}` makes floats of whole numbers"
    return f"`{name}` is a constructor of the old kind: it takes no other device, and a number instead of the list for a shape"


def _fix(file: FileModel, made: Legacy) -> Fix | None:
    """The function instead; None where it is not known what the call is given, or where no import leads to it."""
    written = beside(file, made.call.func, "tensor" if made.given is Given.NUMBERS else "empty")
    dtype = beside(file, made.call.func, made.dtype) if made.dtype is not None else None
    if made.given is Given.UNKNOWN or written is None or made.dtype is not None and dtype is None:
        return None
    fix = rewrite.replace(made.call.func, written)
    if made.given is Given.NOTHING:
        arguments = ["0", *([f"dtype={dtype}"] if dtype else []), *(['device="cuda"'] if made.is_cuda else [])]
        return rewrite.replace(made.call, f"{written}({', '.join(arguments)})")
    for each in made.whole:
        fix += rewrite.replace(each, f"{each.evaluated_value}.0")
    if dtype is not None:
        fix += rewrite.insert_argument(made.call, f"dtype={dtype}" + (', device="cuda"' if made.is_cuda else ""))
    return fix

"""A file that is unpickled as it comes: whatever code it brings along is run."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.safety._unpickled import is_likely_own, is_own, yields_module

_AVAILABLE, _DEFAULT = (1, 13), (2, 6)
"""The first torch that knows `weights_only`, and the first in which it is on by itself."""
_PICKLE_MODULE = 2


@rule(
    "TL901",
    severity=WARNING,
    fix=UNSAFE,
    effect=KEEPS,
    aliases=("TOR102",),
    mentions=("load",),
    quiet_in_tests=True,
    by_version=True,
)
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls("torch.load"):
        given = {arg.keyword.value if arg.keyword is not None else position: arg for position, arg in enumerate(call.args)}
        pickles = given.get("pickle_module", given.get(_PICKLE_MODULE))
        if any(arg.star for arg in call.args) or pickles is not None and file.literal(pickles.value) is not None:
            continue  # nobody sees what else is given; how it is read is chosen on purpose
        flag, supported = given.get("weights_only"), file.torch(call)
        wanted = file.literal(flag.value) if flag is not None else None
        if wanted not in (False, None) or wanted is None and supported.oldest >= _DEFAULT:
            continue  # on, up to the caller, or on by itself, as far as anybody knows
        if supported.is_doubtful or supported.oldest < _AVAILABLE or is_own(file.analysis, call):
            continue  # for no torch that is known, or for one that cannot do otherwise; what this program has written itself
        oldest = ".".join(map(str, supported.oldest))
        reason = "with `weights_only=False`" if wanted is False else f"before 2.6 (this project supports torch {oldest})"
        is_for_askers = is_likely_own(file.analysis, call, is_chosen=wanted is False)
        message = f"{reason}, `torch.load` runs whatever code the file brings along"
        if yields_module(file.analysis, call):
            advice = "save and load the module's `state_dict()`, which `weights_only=True` reads"
            yield Finding(call, message, help=advice, is_for_askers=is_for_askers)
            continue
        insert = rewrite.insert_argument(call, "weights_only=True") if flag is None else rewrite.replace_argument(flag, "weights_only=True")
        yield Finding(
            call,
            message,
            help="`weights_only=True` loads tensors, numbers and containers of them alone; else load only what nobody else can write",
            fix=insert.saying("load tensors, numbers and containers of them alone"),
            is_for_askers=is_for_askers,
        )

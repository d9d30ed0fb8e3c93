"""A list of layers given to `nn.Sequential`, which takes the layers themselves."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, Finding, rule
from torchlint.values.value import Kind

_WRITTEN = (cst.List, cst.ListComp, cst.Tuple, cst.GeneratorExp)


@rule("TL310", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("Sequential",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls("torch.nn.Sequential"):
        if len(call.args) != 1 or call.args[0].star or call.args[0].keyword is not None:
            continue  # several layers, or spread already
        given = call.args[0]
        value = file.value(given.value)
        if not isinstance(given.value, _WRITTEN) and (value.kind not in (Kind.LIST, Kind.TUPLE) or value.optional):
            continue  # one layer, an OrderedDict, or not known to be a list
        text = file.source(given.value, whole=True)
        if isinstance(given.value, cst.GeneratorExp) and not given.value.lpar:
            text = f"({text})"
        yield Finding(
            given.value,
            "`nn.Sequential` takes the layers one by one: given a list, it raises",
            help="spread the list with `*`",
            fix=rewrite.replace_argument(given, f"*{text}").saying("spread the list"),
        )

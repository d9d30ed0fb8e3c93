"""`backward(retain_graph=True)` in a loop, of a graph that nothing goes through again."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.autograd._second_backward import needless, takes_batches


@rule("TL111", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("retain_graph",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for call, kept in needless(file.analysis):
        loss = call.func.value if isinstance(call.func, cst.Attribute) else call.func
        stays = f": its activations stay as long as `{file.source(loss)}` does" if isinstance(loss, (cst.Name, cst.Attribute)) else ""
        yield Finding(
            kept,
            f"this backward frees nothing, though no other goes through its graph{stays}",
            help="leave `retain_graph` out: the graph is then freed as backward goes",
            fix=rewrite.remove_argument(kept),
            is_for_askers=not takes_batches(file.analysis, call),  # a few updates on what was played: held until they are over
        )

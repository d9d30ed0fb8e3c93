"""`.numpy()` on a tensor that requires gradients or lives on a device, for which there is no array."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, UNSAFE, Finding, rule
from torchlint.rules.autograd._requirements import origin_of_device, origin_of_graph


@rule("TL112", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=(".numpy(",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.methods("numpy"):
        if call.args or not isinstance(call.func, cst.Attribute):
            continue  # `numpy(force=True)` detaches and copies by itself
        tensor, value = call.func.value, file.value(call.func.value)
        graph = origin_of_graph(file.analysis, value, call)
        device = origin_of_device(file.analysis, value, call)
        if graph is None and device is None:
            continue  # detached, on the CPU, computed without gradients; or whoever calls this decides
        fix = rewrite.method(tensor, "detach().cpu" if graph and device else "detach" if graph else "cpu")
        caught = any(isinstance(each, (cst.Try, cst.TryStar)) for each in file.ancestors(call))
        why = "requires gradients: `numpy()` raises" if graph else "is put on a device: unless that is the CPU, `numpy()` raises"
        proofs = ((graph, "gradients are required here"), (device, "put on the device here"))
        yield Finding(
            call,
            f"`{file.source(tensor)}` {why} an exception",
            help=f"write `{'.detach()' if graph else ''}{'.cpu()' if device else ''}.numpy()`",
            fix=fix.at_most(UNSAFE) if caught else fix,
            related=tuple((node, text) for node, text in proofs if node is not None),
        )

"""Objects that are pickled from one process to another."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule

_PICKLING = tuple(
    f"torch.distributed.{name}"
    for name in (
        "all_gather_object",
        "gather_object",
        "broadcast_object_list",
        "scatter_object_list",
        "send_object_list",
        "recv_object_list",
    )
)


@rule("TL909", severity=INFO, default=False, mentions=("_object",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls(*_PICKLING):
        yield Finding(
            call,
            "this unpickles what other processes send: whoever reaches their port can run code here, and all goes through the CPU",
            help="send tensors with the collectives for tensors",
        )

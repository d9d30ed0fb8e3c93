"""An operator registered by hand with `torch.library.Library`."""

from collections.abc import Iterator

from torchlint.facts.versions import presence
from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule


@rule("TL811", severity=INFO, default=False, aliases=("TOR901",), mentions=("Library",), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    instead = presence("torch.library.custom_op")
    for call in file.calls("torch.library.Library"):
        supported = file.torch(call)
        if instead is None or supported.is_doubtful or not supported.all_have(instead):
            continue  # there is no other way in some torch that runs it, or nobody can tell
        yield Finding(
            call,
            "what a `Library` registers is gone with the object, and nothing compares its schema with what the operator does",
            help="declare the operator with `torch.library.custom_op`",
        )

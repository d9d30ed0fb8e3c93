"""A seed for torch alone, where the team seeds Python and NumPy along with it."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import REPAIRS, UNSAFE, WARNING, Finding, rule

HOME = "acme.seeding"


@rule("ACME101", severity=WARNING, fix=UNSAFE, effect=REPAIRS, mentions=("manual_seed",))
def check(file: FileModel) -> Iterator[Finding]:
    for call in file.calls("torch.manual_seed", "torch.random.manual_seed"):
        if len(call.args) != 1 or file.spelling(HOME, call) is not None:
            continue  # a call that fails by itself; a file that knows what it leaves out
        yield Finding(
            call,
            f"`{file.source(call)}` leaves the random numbers of Python and NumPy as they come",
            help="call `seed_everything`, which seeds them all",
            fix=rewrite.replace(call.func, "seed_everything") + rewrite.add_from_import(HOME, "seed_everything"),
        )

"""A checkpoint that loads only where the device is that it was saved from."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.safety._checkpoints import unmapped


@rule("TL902", severity=WARNING, fix=UNSAFE, effect=KEEPS, mentions=("torch.load", "import load", ".load("), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for found in unmapped(file.analysis):
        advice = 'pass `map_location="cpu"`: `load_state_dict` copies it to where the module is'
        yield Finding(
            found.call,
            "what was saved from a GPU is read onto the same GPU, and fails to load on a machine without it",
            help=advice if found.keeps_devices else "pass `map_location`, with the device that the program has chosen",
            fix=rewrite.insert_argument(found.call, 'map_location="cpu"') if found.keeps_devices else None,
        )

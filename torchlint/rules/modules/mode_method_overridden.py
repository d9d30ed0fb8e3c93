"""A module's own `train` or `eval` that cannot be called as the ones it replaces."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import WARNING, Finding, rule
from torchlint.rules.modules._modes import other_mode_methods


@rule("TL319", severity=WARNING, mentions=("def train", "def eval"))
def check(file: FileModel) -> Iterator[Finding]:
    for model, method in other_mode_methods(file.analysis):
        name = method.name.value
        others = "`.train()`, `.eval()` and those of every module that holds it end up here"
        breaks = others if name == "train" else "`.eval()` ends up here"
        yield Finding(
            method.name,
            f"`{model.name}.{name}` hides `torch.nn.Module.{name}`, and takes something else: {breaks}",
            help=f"give it another name, such as `{'fit' if name == 'train' else 'evaluate'}`",
        )

"""Options of a data loader that exclude each other."""

from collections.abc import Iterator

from torchlint.model import FileModel
from torchlint.rule import ERROR, Finding, rule
from torchlint.rules.data._conflicts import conflicts
from torchlint.rules.data._loaders import loaders


@rule("TL503", severity=ERROR, mentions=("DataLoader",))
def check(file: FileModel) -> Iterator[Finding]:
    for loader in loaders(file.analysis):
        if not loader.is_torch or loader.is_expected_to_fail:
            continue  # another library's constructor may accept it; somebody tries out what raises
        for name, other, advice in conflicts(loader):
            yield Finding(
                loader[name] or loader.call,
                f"`{name}` excludes {other}: making the loader raises",
                help=advice,
            )
            break  # the first one is raised

"""A method of a module that was meant to be `__init__` or `forward`, and is spelt otherwise."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, SAFE, Finding, rule
from torchlint.rules.modules._misspelt import misspelt


@rule("TL318", severity=ERROR, fix=SAFE, effect=REPAIRS, mentions=("Module",))
def check(file: FileModel) -> Iterator[Finding]:
    for model in file.classes():
        for method, meant in misspelt(file.analysis, model):
            yield Finding(
                method.name,
                f"nobody calls `{method.name.value}`: `{model.name}` has no `{meant}`",
                help=f"name it `{meant}`",
                fix=rewrite.rename_function(method, meant).saying(f"rename it to `{meant}`"),
            )

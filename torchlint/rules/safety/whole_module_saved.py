"""A module that is pickled as a whole, where its state would do."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import REPAIRS, UNSAFE, WARNING, Finding, rule
from torchlint.rules.safety._saved import whole_modules


@rule("TL903", severity=WARNING, fix=UNSAFE, effect=REPAIRS, mentions=("torch.save", "import save"), quiet_in_tests=True)
def check(file: FileModel) -> Iterator[Finding]:
    for saved in whole_modules(file.analysis):
        name = " ".join(file.source(saved.module).split())
        yield Finding(
            saved.module,
            f"`{name}` is pickled as a whole: the file loads only with `weights_only=False`, and where its classes are found as now",
            help=f"save `{name}.state_dict()`, and load it into a module that the code builds",
            fix=None if saved.is_read_whole else rewrite.method(saved.module, "state_dict").saying("save its state"),
            is_for_askers=not saved.is_read,  # kept for whoever wants it: nothing here fails at it
        )

"""A model that is loaded and used, and never put into eval mode."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, rule
from torchlint.rules.training._modes import depends_on_mode, loading, mode_is_never_set


@rule("TL223", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("load_state_dict",))
def check(file: FileModel) -> Iterator[Finding]:
    if not mode_is_never_set(file.analysis):
        return  # somebody in the run does, or trains
    for found in file.evaluations():
        loaded = loading(found)
        if loaded is None or depends_on_mode(found.module) is not True:
            continue
        name = file.source(found.calls[0].func)
        yield Finding(
            found.calls[0],
            f"`{name}` predicts in train mode: dropout is on, and normalisation follows the batches it is shown",
            help="call `eval()` after loading",
            fix=rewrite.insert_after(loaded, f"{name}.eval()").saying("call `eval()` after loading"),
            related=((loaded, "loaded here"),),
        )

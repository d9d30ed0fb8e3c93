"""A tensor that a module keeps as a plain attribute, where `to(device)` does not find it."""

from collections.abc import Iterator

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import KEEPS, SAFE, UNSAFE, WARNING, Finding, rule
from torchlint.rules.modules._buffers import plain_tensors

_KEEPS_KEYS = (1, 6)
"""The first torch whose `register_buffer` takes `persistent`."""


@rule("TL303", severity=WARNING, fix=SAFE, effect=KEEPS, mentions=("Module",))
def check(file: FileModel) -> Iterator[Finding]:
    for found in plain_tensors(file.analysis):
        instance, name = file.source(found.target.value), found.target.attr.value
        if file.torch(found.statement).oldest < _KEEPS_KEYS:
            fix, arguments = None, "…"  # a fix would add a key to the state dict
        else:
            registered = f'{instance}.register_buffer("{name}", {file.source(found.value)}, persistent=False)'
            fix = rewrite.replace_statement(found.statement, registered).at_most(SAFE if found.is_confined else UNSAFE)
            arguments = "…, persistent=False"
        yield Finding(
            found.target,
            f"`{file.source(found.target)}` is no buffer: it stays on the CPU where the module is moved, and `forward` computes with it",
            help=f'register it: `register_buffer("{name}", {arguments})`',
            fix=fix,
            related=((found.use, "it meets other tensors here"),),
        )

"""Which calls of activation checkpointing leave it to torch which of its two implementations runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.facts.declared import Version
from torchlint.program.analysis import FileAnalysis

_FIRST: dict[str, Version] = {"torch.utils.checkpoint.checkpoint": (1, 11), "torch.utils.checkpoint.checkpoint_sequential": (2, 0)}
"""The versions from which on `use_reentrant` may be passed; the declarations do not go back so far."""
_BEFORE = 3
"""The arguments of `checkpoint_sequential` that stand before it; `checkpoint` takes it by its name only."""
_REPLACED = re.compile(r"\bcheckpoint\.checkpoint(?:_sequential)?\s*=[^=]")
"""The program puts a function of its own in the place of torch's, which may pass the argument."""


def left_open(file: FileAnalysis) -> Iterator[tuple[cst.Call, Version]]:
    """The calls that do not pass `use_reentrant`, each with the first version that would take it."""
    for call in file.calls(*_FIRST):
        path = file.qualname(call.func) or ""
        if not _is_given(call, by_position=path.endswith("_sequential")) and not file.is_written(_REPLACED):
            yield call, _FIRST[path]


def _is_given(call: cst.Call, *, by_position: bool) -> bool:
    """Whether the argument is passed, or may be in what is spread."""
    positional = [arg for arg in call.args if arg.keyword is None and arg.star != "**"]
    if by_position and (len(positional) > _BEFORE or any(arg.star for arg in positional)):
        return True
    return any(arg.star == "**" or arg.keyword is not None and arg.keyword.value == "use_reentrant" for arg in call.args)

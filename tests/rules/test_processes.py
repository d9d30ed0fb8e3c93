"""What the rules about several devices and processes find out about a program."""

import pytest

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.distributed._checkpointing import left_open

CHECKPOINTING = "from torch.utils import checkpoint as cp\n"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("cp.checkpoint(f, x)", [(1, 11)]),
        ("cp.checkpoint(f, *x)", [(1, 11)]),
        ("cp.checkpoint(f, x, False, y)", [(1, 11)]),
        ("cp.checkpoint_sequential(f, 2, x)", [(2, 0)]),
        ("cp.checkpoint(f, x, use_reentrant=u)", []),
        ("cp.checkpoint(f, **x)", []),
        ("cp.checkpoint_sequential(f, 2, x, True)", []),
        ("cp.checkpoint_sequential(f, *x)", []),
        ("cp.checkpoint = mine\ncp.checkpoint.checkpoint = mine\ncp.checkpoint(f, x)", []),
        ("save.checkpoint(f, x)", []),
    ],
)
def test_checkpointing_is_left_open_where_nothing_may_say_the_variant(text: str, first: list[tuple[int, int]]) -> None:
    assert [each for _, each in left_open(FileAnalysis(CHECKPOINTING + text))] == first

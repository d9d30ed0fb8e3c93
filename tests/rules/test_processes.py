"""What the rules about several devices and processes find out about a program."""

import pytest

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.distributed._checkpointing import left_open
from torchlint.rules.distributed._transfers import unwaited

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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dist.isend(x, 1)", 1),
        ("dist.all_reduce(x, async_op=True)", 1),
        ("dist.all_reduce(x, async_op=1 > 0)", 0),
        ("dist.all_reduce(x, async_op=False)", 0),
        ("dist.isend(x, 1).wait()", 0),
        ("r = dist.isend(x, 1)", 1),
        ("r = dist.isend(x, 1)\nr.wait()", 0),
        ("r = dist.isend(x, 1)\nr = dist.isend(y, 1)\nr.wait()", 1),
        ("r = dist.isend(x, 1)\nif y:\n    r = dist.isend(y, 1)\nr.wait()", 0),
        ("r: object = dist.isend(x, 1)", 1),
        ("r = []\nr.append(dist.isend(x, 1))", 1),
        ("r = list()\nr += [dist.isend(x, 1)]\nr.clear()", 1),
        ("r = []\nr.append(dist.isend(x, 1))\nwait(r)", 0),
        ("r.append(dist.isend(x, 1))", 0),
        ("def f():\n    r = dist.isend(x, 1)\n    return lambda: r.wait()", 0),
        ("x.y = dist.isend(x, 1)", 0),
        ("dist.isend(x, 1)\nstream.synchronize()", 0),
    ],
)
def test_transfer_is_unwaited_where_its_handle_is_looked_at_nowhere(text: str, found: int) -> None:
    assert len(list(unwaited(FileAnalysis("import torch.distributed as dist\n" + text)))) == found

"""What the rules about several devices and processes find out about a program."""

import libcst as cst
import pytest

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.distributed._checkpointing import left_open
from torchlint.rules.distributed._ranks import asked, left_alone
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


def passing(text: str) -> list[frozenset[int]]:
    """The ranks that come to `here()` through each question about them."""
    file = FileAnalysis("import os\nimport torch.distributed as dist\n" + text)
    (call,) = (each for each in file.nodes(cst.Call) if isinstance(each.func, cst.Name) and each.func.value == "here")
    return [ranks for _, ranks in asked(file, call)]


@pytest.mark.parametrize(
    ("test", "ranks"),
    [
        ("dist.get_rank() == 0", [{0}]),
        ("0 == dist.get_rank()", [{0}]),
        ("not dist.get_rank()", [{0}]),
        ("args.local_rank != 0", [{1, 2}]),
        ("self.rank > 0", [{1, 2}]),
        ("args.local_rank in [-1, 0]", [{0}]),
        ("args.local_rank not in (-1, 0)", [{1, 2}]),
        ("x and args.rank == source", [{0}]),
        ("x or args.rank == 0", []),
        ("int(os.environ['RANK']) == 0", [{0}]),
        ("int(os.getenv('LOCAL_RANK', 0)) == 0", [{0}]),
        ("accelerator.is_main_process", [{0}]),
        ("args.local_rank != -1", []),
        ("args.local_rank >= 0", []),
        ("args.group_rank == 0", []),
        ("dist.get_rank(group) == 0", []),
        ("dist.get_world_size() == 1", []),
    ],
)
def test_questions_about_the_rank_are_known_by_who_passes_them(test: str, ranks: list[set[int]]) -> None:
    assert passing(f"def f(self, args, accelerator, x, source, group):\n    if {test}:\n        here()") == ranks


@pytest.mark.parametrize(
    ("text", "ranks"),
    [
        ("def f(rank):\n    if rank != 0:\n        return\n    here()", [{0}]),
        ("def f(rank):\n    if rank == 0:\n        pass\n    else:\n        here()", [{1, 2}]),
        ("for rank in range(4):\n    if rank == 0:\n        here()", []),
        ("def first():\n    return dist.get_rank() == 0\nif first():\n    here()", [{0}]),
        (
            "def first():\n    if alone():\n        return True\n    return dist.get_rank() == 0\nif first():\n    here()",
            [{0}],
        ),
        ("if ddp:\n    main = dist.get_rank() == 0\nelse:\n    main = True\nif main:\n    here()", [{0}]),
        ("main = dist.get_rank() == 0\nmain = other\nif main:\n    here()", []),
    ],
)
def test_questions_about_the_rank_are_followed_through_names_functions_and_exits(text: str, ranks: list[set[int]]) -> None:
    assert passing(text) == ranks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("if rank == 0:\n    dist.barrier()", 1),
        ("if rank == 0:\n    dist.barrier()\nelse:\n    dist.barrier()", 0),
        ("if rank == 0:\n    dist.barrier()\nelse:\n    work()", 0),
        ("if rank == 0:\n    dist.barrier()\nelse:\n    print()", 1),
        ("if rank == 0:\n    dist.barrier(group)", 0),
        ("if rank == 0:\n    dist.barrier(dist.group.WORLD)", 1),
        ("if rank == 0:\n    dist.barrier(*given)", 0),
        ("if rank == 0:\n    dist.send(x, 1)", 0),
    ],
)
def test_collective_is_left_alone_where_the_other_ranks_do_not_come(text: str, found: int) -> None:
    body = text.replace("\n", "\n    ")

    assert len(list(left_alone(FileAnalysis(f"import torch.distributed as dist\ndef f(rank, group):\n    {body}")))) == found

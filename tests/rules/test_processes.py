"""What the rules about several devices and processes find out about a program."""

from textwrap import dedent

import libcst as cst
import pytest

from torchlint.engine import lint
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.distributed._checkpointing import left_open
from torchlint.rules.distributed._compiling import wrapped_anew
from torchlint.rules.distributed._forking import forked
from torchlint.rules.distributed._loading import repeated
from torchlint.rules.distributed._ranks import asked, left_alone
from torchlint.rules.distributed._saving import written_by_all
from torchlint.rules.distributed._transfers import unwaited
from torchlint.rules.distributed._wrapping import synchronized
from torchlint.settings import Settings

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


DISTRIBUTED = (
    "import torch\nfrom torch.nn.parallel import DistributedDataParallel as DDP\nfrom torch.utils.data import DataLoader, TensorDataset\n"
)


@pytest.mark.parametrize(
    ("dataset", "found"),
    [
        ("TensorDataset(x)", 1),
        ("TensorDataset(x[rank::2])", 0),
        ("TensorDataset(y)", 0),
        ("mine", 1),
        ("unknown(x)", 0),
        ("dataset", 0),
    ],
)
def test_data_is_repeated_where_nothing_it_is_made_of_asks_for_the_rank(dataset: str, found: int) -> None:
    text = f"""
        def train(model, x, rank, dataset, unknown):
            y = x[rank]
            mine = TensorDataset(x)
            model = DDP(model)
            for z in DataLoader({dataset}, shuffle=True):
                model(z).backward()
    """
    file = FileAnalysis(DISTRIBUTED + dedent(text))

    assert len(list(repeated(file, list(file.calls("torch.nn.parallel.DistributedDataParallel"))))) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("for x in y: torch.compile(model)(x)", 1),
        ("for x in y: torch.compile(x)", 0),
        ("for x in y: torch.compile(model, mode=x)", 0),
        ("for x in y: torch.compile(build())", 0),
        ("for x in y: model.layer = torch.compile(model.layer)", 1),
        ("for x in y:\n    model.layer = x\n    torch.compile(model.layer)", 0),
        ("for x in y:\n    if x: torch.compile(model)", 0),
        ("for x in y:\n    if z: torch.compile(model)", 1),
        ("for x in y:\n    torch.compile(model)\n    break", 0),
        ("for x in y:\n    torch._dynamo.reset()\n    torch.compile(model)", 0),
        ("for x in (1, 2):\n    torch.compile(model)", 0),
        ("torch.compile(model)", 0),
    ],
)
def test_model_is_wrapped_anew_where_each_iteration_compiles_the_same(text: str, found: int) -> None:
    body = text.replace("\n", "\n    ")

    assert len(list(wrapped_anew(FileAnalysis(f"import torch\ndef f(model, y, z, build):\n    {body}")))) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def main():\n    torch.save(m, 'x')\nmain()", 1),
        ("def main():\n    torch.save(m, 'x')\nif __name__ == '__main__':\n    main()", 1),
        ("def main():\n    torch.save(m, 'x')", 0),
        ("def main(rank):\n    torch.save(m, f'{rank}')\nmain(0)", 0),
        ("def main(is_master):\n    if is_master:\n        torch.save(m, 'x')\nmain(0)", 0),
        ("def main(rank):\n    torch.save(m, 'x')\ntorch.multiprocessing.spawn(main)", 1),
        ("def main(rank):\n    torch.save(m, 'x')\nrun(main)", 0),
        ("def save():\n    torch.save(m, 'x')\ndef main(rank):\n    if rank == 0:\n        save()\nmain(0)", 0),
    ],
)
def test_file_is_written_by_all_where_no_question_on_the_way_is_about_the_rank(text: str, found: int) -> None:
    assert len(list(written_by_all(FileAnalysis(f"{DISTRIBUTED}m = DDP(n)\n{text}")))) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x.cuda()\nmp.Process(target=run).start()", 1),
        ("mp.Process(target=run).start()\nx.cuda()", 0),
        ("x.to(device)\nmp.Process(target=run).start()", 1),
        ("x.to(y)\nmp.Process(target=run).start()", 0),
        ("x.cuda()\nmp.Process(target=other).start()", 0),
        ("x.cuda()\npool = mp.Pool(2)\npool.map(run, y)", 1),
        ("x.cuda()\nmp.get_context('spawn')\nmp.Process(target=run).start()", 0),
    ],
)
def test_process_is_forked_where_cuda_is_set_up_before_and_used_in_it(text: str, found: int) -> None:
    head = "import multiprocessing as mp\nimport torch\ndevice = torch.device('cuda', 0)\n"
    head += "def run(): torch.ones(1, device='cuda')\ndef other(): pass\n"

    assert len(list(forked(FileAnalysis(head + text)))) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("loss.backward()\n        if i % 4 == 0:\n            optimizer.step()\n            optimizer.zero_grad()", 1),
        ("loss.backward()\n        optimizer.step()\n        optimizer.zero_grad()", 0),
        ("with model.no_sync():\n            loss.backward()\n        if i % 4 == 0:\n            optimizer.step()", 0),
    ],
)
def test_backward_is_synchronized_for_nothing_where_a_step_uses_several(text: str, found: int) -> None:
    head = "def f(model, loader, optimizer):\n    model = DDP(model)\n"
    body = f"{head}    for i, x in enumerate(loader):\n        loss = model(x).mean()\n        {text}"

    assert len(list(synchronized(FileAnalysis(DISTRIBUTED + body)))) == found


@pytest.mark.parametrize(("version", "codes"), [(None, ["TL707"]), ("1.11", ["TL707"]), ("1.10", [])])
def test_reentrant_variant_is_reported_where_every_supported_torch_takes_the_argument(version: str | None, codes: list[str]) -> None:
    found = lint(f"{CHECKPOINTING}cp.checkpoint(f, x)", Settings(select=("TL707",), torch_version=version))

    assert [each.code for each in found] == codes

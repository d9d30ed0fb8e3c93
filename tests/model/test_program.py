"""What the whole program says: seeds, processes, accelerators, and where it begins."""

from pathlib import Path

import pytest
from probing import IMPORTS, model

from torchlint.model import FileModel
from torchlint.model.program import Done
from torchlint.program import neighbours
from torchlint.program.project import Project
from torchlint.settings import Settings


def read(code: str) -> FileModel:
    return FileModel(model(code))


def in_run(folder: Path, main: str, **others: str) -> FileModel:
    """The file `main.py` of a run with these other modules."""
    for name, text in {"main": IMPORTS + main, **others}.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return FileModel(model(main, path=str(folder / "main.py"), project=Project([folder])))


def shown(file: FileModel, done: Done) -> list[str]:
    return [file.source(each) for each in done.here]


@pytest.mark.parametrize(
    ("code", "library", "expected"),
    [
        ("torch.manual_seed(0)\n", "torch", ["torch.manual_seed(0)"]),
        ("def setup(seed):\n    torch.cuda.manual_seed_all(seed)\n", "torch", ["torch.cuda.manual_seed_all(seed)"]),
        ("from torch import manual_seed as ms\nms(1)\n", "torch", ["ms(1)"]),
        ("import pytorch_lightning as pl\npl.seed_everything(1)\n", "torch", ["pl.seed_everything(1)"]),
        ("from transformers import set_seed\nset_seed(1)\n", "numpy", ["set_seed(1)"]),
        ("import numpy as np\nnp.random.seed(1)\n", "numpy", ["np.random.seed(1)"]),
        ("import numpy as np\nnp.random.seed(1)\n", "torch", []),
        ("import random\nrandom.seed(1)\n", "random", ["random.seed(1)"]),
        ("g = torch.Generator()\ng.manual_seed(0)\ntorch.Generator().manual_seed(1)\n", "torch", []),
        ("def manual_seed(n): ...\nmanual_seed(0)\n", "torch", []),
        ("torch.rand(2)\n", "torch", []),
    ],
)
def test_what_seeds_a_global_generator(code: str, library: str, expected: list[str]) -> None:
    file = read(code)
    found = file.program.seeds(library)

    assert shown(file, found) == expected
    assert found.elsewhere == ()
    assert bool(found) is bool(expected)


def test_a_seed_may_be_set_in_another_file_of_the_run(tmp_path: Path) -> None:
    file = in_run(tmp_path, "import setup\n", setup="import torch\n\ndef seed(n):\n    torch.manual_seed(n)\n", other="manual_seed = 3\n")
    found = file.program.seeds()

    assert found
    assert not found.here
    assert found.elsewhere == ((str(tmp_path / "setup.py"), 4),)
    assert not file.program.seeds("numpy")


def test_where_too_much_lies_around_the_program_may_do_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_MOST_BYTES", 1)
    found = in_run(tmp_path, "x = 1\n").program.seeds()

    assert found.elsewhere is None
    assert found


@pytest.mark.parametrize(
    ("code", "launches", "distributes", "managers"),
    [
        ("import torch.distributed as dist\ndist.init_process_group('nccl')\n", True, True, False),
        ("import torch.multiprocessing as mp\nmp.spawn(f)\n", True, True, False),
        ("from torch.nn.parallel import DistributedDataParallel as DDP\nnet = DDP(net)\n", False, True, False),
        ("from torch.nn.parallel import DistributedDataParallel as DDP\n", False, False, False),
        ("def f(m):\n    return isinstance(m, nn.parallel.DistributedDataParallel)\n", False, True, False),
        ("from accelerate import Accelerator\naccelerator = Accelerator()\n", False, False, True),
        ("import pytorch_lightning as pl\nclass Net(pl.LightningModule): ...\n", False, False, True),
        ("from lightning import Trainer\nTrainer().fit(net)\n", False, False, True),
        ("from transformers import Trainer\nclass Mine(Trainer): ...\n", False, False, True),
        ("class Trainer: ...\nTrainer()\n", False, False, False),
        ("net = nn.DataParallel(net)\n", False, False, False),
    ],
)
def test_how_the_processes_of_a_program_start(code: str, launches: bool, distributes: bool, managers: bool) -> None:
    program = read(code).program

    assert (bool(program.launches), bool(program.distributes), bool(program.managers)) == (launches, distributes, managers)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = torch.zeros(2).cuda()\n", ["torch.zeros(2).cuda"]),
        ("x = torch.zeros(2, device='cuda:1')\n", ["'cuda:1'"]),
        ("if torch.backends.mps.is_available(): ...\n", ["torch.backends.mps"]),
        ("def f(args):\n    return args.gpu\n", ["args.gpu"]),
        ("import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'\n", ["'CUDA_VISIBLE_DEVICES'"]),
        ("x = torch.zeros(2, device='cpu')\n", []),
        ("barracuda = 'barracuda'\ninput = 1\n", []),
    ],
)
def test_where_a_program_speaks_of_an_accelerator(code: str, expected: list[str]) -> None:
    file = read(code)

    assert shown(file, file.program.accelerators) == expected


def test_an_accelerator_that_another_file_speaks_of(tmp_path: Path) -> None:
    found = in_run(tmp_path, "x = 1\n", args="parser.add_argument('--use_gpu')\n", words="barracuda = input\n").program.accelerators

    assert not found.here
    assert found.elsewhere == ((str(tmp_path / "args.py"), 1),)


@pytest.mark.parametrize(
    ("code", "there"),
    [
        ("if __name__ == '__main__':\n    main()\n", True),
        ('if "__main__" == __name__:\n    main()\n', True),
        ("if __name__ != '__main__':\n    main()\n", False),
        ("def f():\n    if __name__ == '__main__':\n        main()\n", False),
        ("if name == '__main__':\n    main()\n", False),
        ("main()\n", False),
    ],
)
def test_where_a_program_begins(code: str, there: bool) -> None:
    file = read(code)

    assert (file.program.entry in file.nodes(type(file.program.entry))) is there if there else file.program.entry is None


def test_the_settings_of_the_project_are_those_of_the_program() -> None:
    file = model("x = 1\n")
    file.settings = Settings(torch_version="2.1")

    assert FileModel(file).program.settings.torch_version == "2.1"

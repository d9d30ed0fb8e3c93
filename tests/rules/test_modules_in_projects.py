"""What other files of a run change about the rules of modules: names that are used there, hooks, devices, bases."""

import textwrap
from pathlib import Path

import pytest

from torchlint.edits import Applicability
from torchlint.engine import lint
from torchlint.program.project import Project
from torchlint.settings import Settings

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n\n"


def found(folder: Path, code: str, text: str, **others: str) -> list[tuple[int, Applicability | None]]:
    """The rows below the usual imports at which a rule speaks in `main.py`, with how far each fix goes; the other files lie beside it."""
    for name, other in {"main": text, **others}.items():
        (folder / f"{name}.py").write_text(HEAD + textwrap.dedent(other).lstrip(), encoding="utf-8")
    path = folder / "main.py"
    findings = lint(path.read_text(encoding="utf-8"), Settings(select=(code,)), path=str(path), project=Project([folder]))
    return [(each.location.row - HEAD.count("\n"), each.fix.applicability if each.fix is not None else None) for each in findings]


SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE

BASE = """
class Base(nn.Module):
    def __init__(self{takes}):
        super().__init__()
        self.stem = nn.Linear(4, 4)
"""
HEIR = """
from base import Base


class Heir(Base):
    def __init__(self):
        self.head = nn.Linear(4, 2)
"""


@pytest.mark.parametrize(("takes", "fix"), [("", UNSAFE), (", width=4", UNSAFE), (", width", None)])
def test_a_base_in_another_file_is_called_only_where_it_takes_nothing(tmp_path: Path, takes: str, fix: Applicability | None) -> None:
    assert found(tmp_path, "TL304", HEIR, base=BASE.format(takes=takes)) == [(5, fix)]


def test_a_constructor_that_only_the_base_of_another_file_calls_is_enough(tmp_path: Path) -> None:
    heir = HEIR.replace("        self.head", "        self.begin()\n        self.head")
    base = BASE.format(takes="") + "\n    def begin(self):\n        super().__init__()\n"

    assert found(tmp_path, "TL304", heir, base=base) == []


FOWARD = """
class Net(nn.Module):
    def foward(self, x):
        return x
"""


def test_a_method_that_another_file_calls_is_not_misspelt(tmp_path: Path) -> None:
    assert found(tmp_path, "TL318", FOWARD) == [(2, SAFE)]
    assert found(tmp_path, "TL318", FOWARD, other="def run(net, x):\n    return net.foward(x)\n") == []


DIRECT = """
class Net(nn.Module):
    def forward(self, x):
        return x


print(Net().forward(torch.ones(1)))
"""


def test_calling_the_module_is_unsafe_where_hooks_are_registered_in_another_file(tmp_path: Path) -> None:
    assert found(tmp_path, "TL305", DIRECT) == [(6, SAFE)]
    assert found(tmp_path, "TL305", DIRECT, other="def watch(net):\n    net.register_forward_hook(print)\n") == [(6, UNSAFE)]


MASK = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.mask = torch.ones(4, 4)

    def forward(self, x):
        return x * self.mask


net = Net()
"""
MOVES = "from main import net\n\nnet.to('cuda')\n"


def test_a_tensor_on_a_module_matters_only_where_something_is_moved(tmp_path: Path) -> None:
    assert found(tmp_path, "TL303", MASK) == []
    assert found(tmp_path, "TL303", MASK, other=MOVES) == [(4, SAFE)]


@pytest.mark.parametrize("other", [MOVES + "print(net.mask)\n", MOVES + "net.half()\n"])
def test_a_buffer_is_unsafe_where_another_file_reaches_it_or_converts_the_model(tmp_path: Path, other: str) -> None:
    assert found(tmp_path, "TL303", MASK, other=other) == [(4, UNSAFE)]


@pytest.mark.parametrize(
    ("dtype", "converts", "fix"),
    [
        ("torch.bool", "net.half()", SAFE),
        ("torch.long", "net.to(torch.bfloat16)", SAFE),
        ("torch.float32", "net.half()", UNSAFE),
        ("kept", "net.half()", UNSAFE),
        ("torch.bool", "net.type(torch.float16)", UNSAFE),
    ],
)
def test_whole_numbers_and_truth_values_stay_what_they_are_in_a_model_that_is_converted(
    tmp_path: Path, dtype: str, converts: str, fix: Applicability
) -> None:
    text = "from other import kept\n" + MASK.replace("torch.ones(4, 4)", f"torch.ones(4, 4, dtype={dtype})")

    assert found(tmp_path, "TL303", text, other=f"{MOVES}kept = torch.half\n{converts}\n") == [(6, fix)]


def test_tensors_that_are_made_on_a_default_device_are_no_mistake(tmp_path: Path) -> None:
    assert found(tmp_path, "TL303", MASK, other=MOVES + "torch.set_default_device('cuda')\n") == []


LEFT = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)

    def forward(self, x):
        return self.first(x)
"""


@pytest.mark.parametrize("other", ["def head(net, x):\n    return net.second(x)\n", "KEYS = ['second.weight']\n"])
def test_a_layer_that_another_file_asks_for_is_used(tmp_path: Path, other: str) -> None:
    assert found(tmp_path, "TL316", LEFT) == [(5, None)]
    assert found(tmp_path, "TL316", LEFT, other=other) == []


REPEATED = """
from blocks import Block

layers = nn.ModuleList([Block()] * 3)
"""


@pytest.mark.parametrize(("layer", "rows"), [("nn.Linear(4, 4)", [(3, UNSAFE)]), ("nn.ReLU()", [])])
def test_a_module_of_another_file_is_repeated_only_if_it_has_weights(
    tmp_path: Path, layer: str, rows: list[tuple[int, Applicability | None]]
) -> None:
    block = f"class Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.layer = {layer}\n"

    assert found(tmp_path, "TL309", REPEATED, blocks=block) == rows


CALLED = """
from nets import Net

net = Net()
print(net.forward(torch.ones(1)))
"""


def test_a_class_of_another_file_with_a_call_of_its_own_is_left_alone(tmp_path: Path) -> None:
    net = "class Net(nn.Module):\n    def forward(self, x):\n        return x\n"

    assert found(tmp_path, "TL305", CALLED, nets=net) == [(4, SAFE)]
    assert found(tmp_path, "TL305", CALLED, nets=net + "\n    def __call__(self, x):\n        return self.forward(x) + 1\n") == []


LOOP = """
class Solver(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, 1)

    def train(self, loader):
        for x in loader:
            self.net(x).sum().backward()
"""


@pytest.mark.parametrize(
    ("other", "is_reported"),
    [
        ("from main import Solver\nsolver = Solver()\nsolver.train([])\n", False),
        ("from main import Solver\nsolver = Solver()\nother = nn.Linear(1, 1)\nother.eval()\n", False),
        ("from main import Solver\nsolver = Solver()\nsolver.train([])\nsolver.eval()\n", True),
        ("class Solver(nn.Module):\n    pass\nsolver = Solver()\nsolver.eval()\n", False),
        ("import main\nsolver = main.Solver()\nsolver.train(False)\n", True),
        ("import main\nclass Whole(nn.Module):\n    def __init__(self):\n        self.part = main.Solver()\n", True),
    ],
)
def test_a_loop_called_train_is_reported_where_another_file_switches_its_module(tmp_path: Path, other: str, is_reported: bool) -> None:
    assert found(tmp_path, "TL319", LOOP, other=other) == ([(6, None)] if is_reported else [])

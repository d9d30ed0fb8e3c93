"""The mistakes every set of PyTorch notes warns of, completed to programs that run: found, fixed as the notes say, then silent."""

from dataclasses import dataclass

import pytest

from torchlint.edits import Applicability
from torchlint.engine import fix, lint

TRAINING = """\
import torch
import torch.nn.functional as F
from torch import nn

model = nn.Linear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loader = [(torch.ones(4, 3), torch.zeros(4, dtype=torch.long)) for _ in range(3)]
"""


@dataclass(frozen=True)
class Mistake:
    """A program whose text is the mistake; with `wrong` replaced by `right` it is what the notes recommend."""

    code: str
    program: str
    wrong: str
    right: str
    runs_on_cpu: bool = True

    @property
    def corrected(self) -> str:
        assert self.program.count(self.wrong) == 1
        return self.program.replace(self.wrong, self.right)


MISTAKES = {
    "losses kept with their graphs": Mistake(
        "TL101",
        TRAINING
        + """\
losses = []
for inputs, labels in loader:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(inputs), labels)
    loss.backward()
    optimizer.step()
    losses.append(loss)
print(sum(losses) / len(losses))
""",
        "losses.append(loss)",
        "losses.append(loss.detach())",
    ),
    "losses summed with their graphs": Mistake(
        "TL102",
        TRAINING
        + """\
running = 0.0
for inputs, labels in loader:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(inputs), labels)
    loss.backward()
    optimizer.step()
    running += loss
print(running / len(loader))
""",
        "running += loss",
        "running += loss.detach()",
    ),
    "gradients never cleared": Mistake(
        "TL201",
        TRAINING
        + """\
for inputs, labels in loader:
    loss = F.cross_entropy(model(inputs), labels)
    loss.backward()
    optimizer.step()
""",
        "    loss.backward()\n",
        "    optimizer.zero_grad()\n    loss.backward()\n",
    ),
    "layers in a plain list": Mistake(
        "TL301",
        """\
import torch
from torch import nn


class Stack(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.layers = [nn.Linear(4, 4) for _ in range(depth)]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


print(Stack(2)(torch.ones(1, 4)).shape)
""",
        "[nn.Linear(4, 4) for _ in range(depth)]",
        "nn.ModuleList([nn.Linear(4, 4) for _ in range(depth)])",
    ),
    "a random tensor made on the wrong device": Mistake(
        "TL401",
        "import torch\n\nt = torch.rand(2, 2).cuda()\nprint(t)\n",
        "torch.rand(2, 2).cuda()",
        'torch.rand(2, 2, device="cuda")',
        runs_on_cpu=False,
    ),
    "a second name taken for a copy": Mistake(
        "TL608",
        "import torch\n\na = torch.tensor([1.0, 2.0, 3.0])\nb = a\nb += 1\nprint(a, b)\n",
        "b = a\n",
        "b = a.clone()\n",
    ),
    "a second name at the end of a script": Mistake(
        "TL608",
        "import torch\n\na = torch.tensor([1.0, 2.0, 3.0])\nb = a\n",
        "b = a\n",
        "b = a.clone()\n",
    ),
}

QUIET = {
    "gradients accumulated over several batches": TRAINING
    + """\
optimizer.zero_grad()
for inputs, labels in loader:
    loss = F.cross_entropy(model(inputs), labels) / len(loader)
    loss.backward()
optimizer.step()
""",
    "layers unpacked into a Sequential": """\
import torch
from torch import nn

layers = [nn.Linear(4, 4), nn.ReLU()]
layers.append(nn.Linear(4, 2))
print(nn.Sequential(*layers)(torch.ones(1, 4)).shape)
""",
    "two layers frozen and a new head": """\
import torch
from torch import nn

model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
for parameter in model[0].parameters():
    parameter.requires_grad = False
model[1] = nn.Linear(4, 3)
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
print(len(optimizer.param_groups[0]["params"]))
""",
    "evaluation under no_grad, losses kept": TRAINING
    + """\
model.eval()
losses = []
with torch.no_grad():
    for inputs, labels in loader:
        losses.append(F.cross_entropy(model(inputs), labels))
print(torch.stack(losses).mean())
""",
    "a tensor from numpy moved to the device": """\
import numpy as np
import torch

device = "cuda" if torch.cuda.is_available() else "cpu"
print(torch.from_numpy(np.ones(3)).to(device).sum())
""",
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_found(mistake: Mistake) -> None:
    assert [each.code for each in lint(mistake.program)] == [mistake.code]


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_fixed_as_the_notes_say(mistake: Mistake) -> None:
    assert fix(mistake.program, applicability=Applicability.UNSAFE).text == mistake.corrected


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_silent_once_fixed(mistake: Mistake) -> None:
    assert lint(mistake.corrected) == []


@pytest.mark.parametrize("program", QUIET.values(), ids=QUIET)
def test_good_examples_are_silent(program: str) -> None:
    assert lint(program) == []


def test_data_parallel_is_reported_and_shown_but_not_changed() -> None:
    program = """\
import torch
from torch import nn
from torch.utils.data import DataLoader

loader = DataLoader(torch.ones(8, 3), batch_size=4, shuffle=True)
model = nn.DataParallel(nn.Linear(3, 2))
model(next(iter(loader))).sum().backward()
"""

    assert [each.code for each in lint(program)] == ["TL701"]
    assert fix(program, applicability=Applicability.UNSAFE).text == program


def test_waiting_for_the_device_in_every_iteration_is_found_and_moved_out_of_the_loop() -> None:
    program = """\
import torch
import torch.nn.functional as F


def evaluate(model, loader, device):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for inputs, labels in loader:
            inputs = inputs.to(device, non_blocking=True)
            labels = labels.to(device, non_blocking=True)
            total += F.cross_entropy(model(inputs), labels).item()
    return total / len(loader)
"""
    result = fix(program, applicability=Applicability.UNSAFE)

    assert [each.code for each in lint(program)] == ["TL402"]
    assert lint(result.text) == []
    assert "labels).item()" not in result.text


@pytest.mark.parametrize("program", [*(m.program for m in MISTAKES.values() if m.runs_on_cpu), *QUIET.values()])
def test_every_example_runs(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    exec(compile(program, "example", "exec"), {"__name__": "__main__"})

    assert "nan" not in capsys.readouterr().out


@pytest.mark.parametrize("mistake", [each for each in MISTAKES.values() if each.runs_on_cpu], ids=lambda each: each.code)
def test_every_fixed_example_runs(mistake: Mistake, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    exec(compile(mistake.corrected, "example", "exec"), {"__name__": "__main__"})

    assert "nan" not in capsys.readouterr().out

"""What findings about devices say besides where they are: the second places, and advice that can be followed there."""

import textwrap

import pytest

from torchlint.diagnostic import Diagnostic
from torchlint.engine import lint
from torchlint.settings import Settings

TRAINING = """
import torch
from torch.nn import functional as F

def train(model, loader, optimizer, sched, device):
    total, best = 0.0, torch.tensor(1.0)
    for x, y in loader:
        x = x.to(device)
        loss = F.mse_loss(model(x), y.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        {}
    return total, best
"""


def waits(*lines: str) -> list[Diagnostic]:
    text = TRAINING.format(textwrap.indent("\n".join(lines), " " * 8).strip())
    return lint(text, Settings(select=("TL402",)), path="train.py")


def related(finding: Diagnostic) -> list[tuple[str, int]]:
    return [(each.message, each.location.row) for each in finding.related]


def test_a_wait_shows_its_loop_and_what_put_the_value_on_the_device() -> None:
    (finding,) = waits("print(loss.item())")
    assert related(finding) == [("in this loop", 7), ("put on the device here", 9)]


def test_several_waits_in_a_loop_are_said_once_with_the_others_beside() -> None:
    (finding,) = waits("total += loss.item()", "print(loss.item())", "sched.step(loss.item())")
    assert related(finding)[:2] == [("waits here as well", 14), ("waits here as well", 15)]
    assert finding.fix is None


def test_totals_alone_are_fixed_one_by_one() -> None:
    findings = waits("total += loss.item()")
    assert [each.fix is not None for each in findings] == [True]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("total += loss.item()", "add up on the device"),
        ("total += loss.item() / len(x)", "add up detached tensors"),
        ("best = loss if loss < best else best", ""),
        ("if loss < best: best = loss.detach()", "torch.where"),
        ("sched.step(loss.item())", "step with a value"),
        ("print(loss.item())", "every so many steps"),
    ],
)
def test_the_advice_fits_the_place(line: str, words: str) -> None:
    helps = [each.help or "" for each in waits(line)]
    assert all(words in each for each in helps) and bool(helps) is bool(words)


@pytest.mark.parametrize(
    "lines",
    [
        ("torch.cuda.synchronize()", "total += loss.item()"),
        ("curve.append(loss.item())", "total += loss.item()"),
        ("if not torch.isfinite(loss): break", "total += loss.item()"),
        ("assert loss < 10", "total += loss.item()"),
    ],
)
def test_a_loop_that_has_to_wait_anyway_is_left_alone(lines: tuple[str, ...]) -> None:
    assert waits(*lines) == []


def test_a_wait_that_is_needed_in_one_branch_does_not_speak_for_the_others() -> None:
    findings = waits("if sched is not None:", "    curve.append(loss.item())", "total += loss.item()")
    assert [each.location.row for each in findings] == [15]


def advice(program: str) -> str:
    text = "import torch\nfrom torch import nn\nmodel = nn.DataParallel(build())\n" + program
    (finding,) = lint(text, Settings(select=("TL701",)), path="main.py")
    return finding.help or ""


def test_a_program_that_trains_is_told_what_it_lacks() -> None:
    told = advice("loader = torch.utils.data.DataLoader(data, shuffle=True)\nmodel(x).sum().backward()\n")
    assert "torchrun" in told and "init_process_group" in told and "DistributedSampler(data)" in told and "save" not in told


def test_a_program_with_a_launch_gets_no_second_one() -> None:
    told = advice("torch.distributed.init_process_group('nccl')\nmodel(x).sum().backward()\ntorch.save(model.state_dict(), 'm.pt')\n")
    assert "torchrun" not in told and told.endswith("save on one rank only")


def test_a_program_that_distributes_already_is_pointed_to_its_branch() -> None:
    told = advice("if many:\n    model = nn.parallel.DistributedDataParallel(model)\nmodel(x).sum().backward()\n")
    assert told.startswith("the branch with `DistributedDataParallel`")


def test_a_program_that_only_predicts_gets_no_recipe() -> None:
    assert "torchrun" not in advice("model.eval()\nprint(model(x))\n")

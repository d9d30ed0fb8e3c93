"""Fixes for gradients that are never cleared: safe where the same optimizer is meant at both places and nobody counts on the sum."""

import textwrap

import pytest

from torchlint.edits import Applicability
from torchlint.engine import lint
from torchlint.settings import Settings

HEAD = """
import random
import torch
from torch import nn

net = nn.Linear(2, 1)
opt = torch.optim.SGD(net.parameters())
opts = [torch.optim.SGD([p]) for p in net.parameters()]

for i, (x, y) in enumerate(loader):
"""
BACKWARD = "nn.functional.mse_loss(net(x), y).backward()\n"


def level(text: str) -> Applicability | None:
    """How freely the one finding is fixed; None where it has no fix."""
    (finding,) = lint(text, Settings(select=("TL201",)), path="train.py")
    return finding.fix.applicability if finding.fix is not None else None


def in_loop(body: str) -> str:
    return HEAD + textwrap.indent(body, "    ")


@pytest.mark.parametrize(
    "step",
    [
        "opt.step()",
        "opts[0].step()",
    ],
)
def test_a_name_or_constant_part_that_is_bound_before_is_said_again(step: str) -> None:
    assert level(in_loop(BACKWARD + step)) is Applicability.SAFE


def test_a_name_that_every_iteration_binds_before_backward_is_said_again() -> None:
    assert level(in_loop("one = opts[i % 2]\n" + BACKWARD + "one.step()")) is Applicability.SAFE


@pytest.mark.parametrize(
    "step",
    [
        "one = opts[i % 2]; one.step()",
        "one = opts.pop(); one.step(); opts.append(one)",
        "opts[random.randrange(2)].step()",
        "opts[i % 2].step()",
        "(one := opt).step()",
    ],
)
def test_what_may_mean_something_else_at_backward_is_not_said_again(step: str) -> None:
    assert level(in_loop(BACKWARD + step)) is None


def test_a_name_that_only_some_iterations_bind_before_backward_is_not_said_again() -> None:
    assert level(in_loop("if i:\n    one = opts[1]\n" + BACKWARD + "one.step()")) is None


def test_a_property_is_not_asked_twice() -> None:
    state = "class State:\n    @property\n    def current(self):\n        return opt\n\nstate = State()\n"
    assert level(in_loop(BACKWARD + "state.current.step()").replace("for i,", state + "\nfor i,")) is None


def test_where_gradients_are_written_to_before_the_step_the_fix_is_unsafe() -> None:
    assert level(in_loop(BACKWARD + "for p in net.parameters():\n    p.grad.clamp_(-1, 1)\nopt.step()")) is Applicability.UNSAFE


def test_where_a_comprehension_takes_the_step_the_fix_is_unsafe() -> None:
    assert level(in_loop(BACKWARD + "[opt.step() for _ in opts]")) is Applicability.UNSAFE


def trained(parameter: str) -> str:
    return f"""
import torch
from torch import nn, optim

def fit(net, {parameter}, loader):
    for x, y in loader:
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
"""


def test_an_optimizer_of_which_only_its_name_is_known_is_cleared_unsafely() -> None:
    assert level(trained("optimizer")) is Applicability.UNSAFE
    assert level(trained("optimizer: optim.Optimizer")) is Applicability.SAFE


@pytest.mark.parametrize("made", ["FusedAdam(net.parameters())", "getattr(torch.optim, name)(net.parameters())", "make_optimizer(net)"])
def test_optimizers_called_after_those_of_torch_are_optimizers(made: str) -> None:
    text = in_loop(BACKWARD + "optimizer.step()").replace("for i,", f"optimizer = {made}\nfor i,")
    assert level(text) is Applicability.UNSAFE

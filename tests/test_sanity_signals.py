"""Mistakes that a run shows by itself: each is seen where it was made, and programs that do unusual things on purpose show none."""

from __future__ import annotations

import textwrap
import warnings
from pathlib import Path

import pytest

pytest.importorskip("torch")

from torchlint.edits import Applicability
from torchlint.sanity.own.decide import Outcome, Trial, decide
from torchlint.sanity.own.launch import Program, launch
from torchlint.sanity.own.signals import signals, waits
from torchlint.sanity.own.texts import Sources
from torchlint.settings import Configuration

HEADER = """import torch
from torch import nn
import torch.nn.functional as F
def batch():
    return torch.randn(8, 4), torch.randn(8, 1)
def network():
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
model = network()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
"""
ROWS = HEADER.count("\n")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def seen(text: str, steps: int = 20) -> list[tuple[str, int]]:
    """The kinds of what a run shows, each with the row of the text below the header."""
    Path("train.py").write_text(HEADER + textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    record = launch(Program("train.py"), steps=steps, time_limit=60)
    assert (record.how, record.steps) == ("stopped", steps), record.trace
    return [(each.kind, int(each.line.rpartition(":")[2]) - ROWS) for each in signals(record)]


def judged(text: str) -> Outcome:
    Path("train.py").write_text(HEADER + textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    sources = Sources(Configuration(isolated=True), Path.cwd(), Applicability.SAFE)
    return decide(Trial(Program("train.py"), sources, 8, 60))


PLANTED = {
    "growing graph": (
        """
        total = 0
        while True:
            x, y = batch()
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            total = total + loss
        """,
        6,
    ),
    "gradients not cleared": (
        """
        while True:
            x, y = batch()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        """,
        4,
    ),
    "gradients that no optimizer holds": (
        """
        head = nn.Linear(1, 1)
        while True:
            x, y = batch()
            optimizer.zero_grad()
            F.mse_loss(head(model(x)), y).backward()
            optimizer.step()
        """,
        5,
    ),
    "no gradients": (
        """
        while True:
            x, y = batch()
            F.mse_loss(model(x), y).backward()
            optimizer.zero_grad()
            optimizer.step()
        """,
        5,
    ),
    "evaluation in train mode": (
        """
        while True:
            for _ in range(4):
                x, y = batch()
                optimizer.zero_grad()
                F.mse_loss(model(x), y).backward()
                optimizer.step()
            with torch.no_grad():
                for _ in range(4):
                    model(batch()[0])
        """,
        9,
    ),
    "training in eval mode": (
        """
        def step():
            x, y = batch()
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
        while True:
            step()
            model.eval()
            with torch.no_grad():
                model(batch()[0])
        """,
        4,
    ),
    "memory kept": (
        """
        seen = []
        while True:
            x, y = batch()
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
            seen.append(torch.zeros(600, 600) + x.sum())
        """,
        7,
    ),
    "loss not finite": (
        """
        while True:
            x, y = batch()
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y).sub(100).log()
            loss.backward()
            optimizer.step()
        """,
        5,
    ),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_mistake_is_seen_where_it_is_made_and_no_other_with_it(kind: str) -> None:
    text, row = PLANTED[kind]
    assert seen(text) == [(kind, row)]


CLEAN = {
    "accumulation": """
        while True:
            for _ in range(3):
                x, y = batch()
                (F.mse_loss(model(x), y) / 3).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=False)
    """,
    "a closure": """
        optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
        x, y = batch()
        def closure():
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            return loss
        while True:
            optimizer.step(closure)
    """,
    "two optimizers": """
        judge = network()
        other = torch.optim.Adam(judge.parameters())
        maker = nn.Linear(4, 4)
        optimizer = torch.optim.Adam(maker.parameters())
        while True:
            real, _ = batch()
            other.zero_grad()
            F.softplus(-judge(real)).mean().backward()
            fake = maker(torch.randn(8, 4))
            F.softplus(judge(fake.detach())).mean().backward()
            other.step()
            optimizer.zero_grad()
            F.softplus(-judge(fake)).mean().backward()
            optimizer.step()
    """,
    "rollouts": """
        from torch.distributions import Categorical
        policy = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        optimizer = torch.optim.Adam(policy.parameters())
        while True:
            chosen, rewards = [], []
            for _ in range(20):
                distribution = Categorical(logits=policy(torch.randn(1, 4)))
                action = distribution.sample()
                chosen.append(distribution.log_prob(action))
                rewards.append(float(action.item()))
            optimizer.zero_grad()
            loss = torch.cat([-each * reward for each, reward in zip(chosen, rewards)]).sum()
            loss.backward()
            optimizer.step()
    """,
    "mixed precision": """
        scaler = torch.amp.GradScaler("cpu")
        total = 0.0
        while True:
            x, y = batch()
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = F.mse_loss(model(x), y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            total += loss.item()
    """,
    "a frozen layer and an evaluation": """
        model[0].requires_grad_(False)
        while True:
            model.train()
            x, y = batch()
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
            model.eval()
            with torch.no_grad():
                for _ in range(5):
                    model(batch()[0])
    """,
    "a recurrence": """
        cell, read = nn.GRUCell(4, 8), nn.Linear(8, 1)
        optimizer = torch.optim.SGD([*cell.parameters(), *read.parameters()], lr=0.01)
        state = torch.zeros(8, 8)
        while True:
            state = state.detach()
            for _ in range(6):
                state = cell(torch.randn(8, 4), state)
            optimizer.zero_grad()
            read(state).mean().backward()
            optimizer.step()
    """,
    "a target and its average": """
        import copy
        target = copy.deepcopy(model)
        while True:
            x, y = batch()
            with torch.no_grad():
                y = y + target(x)
            optimizer.zero_grad(set_to_none=True)
            F.mse_loss(model(x), y).backward()
            optimizer.step()
            with torch.no_grad():
                for slow, fast in zip(target.parameters(), model.parameters()):
                    slow.lerp_(fast, 0.1)
    """,
    "experience that is remembered": """
        memory = []
        while True:
            state = torch.randn(64, 84)
            memory.append((state, torch.randn(64)))
            x, y = batch()
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
    """,
    "large tensors that are let go": """
        while True:
            table = torch.randn(900, 900)
            x, y = batch()
            optimizer.zero_grad()
            (F.mse_loss(model(x), y) + table.mean()).backward()
            optimizer.step()
    """,
    "a penalty on gradients": """
        while True:
            x, y = batch()
            x.requires_grad_()
            out = model(x)
            (slope,) = torch.autograd.grad(out.sum(), x, create_graph=True)
            optimizer.zero_grad()
            (F.mse_loss(out, y) + slope.norm()).backward()
            optimizer.step()
    """,
}


@pytest.mark.parametrize("kind", CLEAN)
def test_what_is_done_on_purpose_shows_no_mistake(kind: str) -> None:
    assert seen(CLEAN[kind]) == []


def test_waits_are_counted_where_the_user_asks_and_not_where_torch_does() -> None:
    text = """
        optimizer = torch.optim.Adam(model.parameters())
        while True:
            x, y = batch()
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            if loss > 1e9: break
            print(float(loss), loss.item(), loss.detach().cpu().numpy())
    """
    assert seen(text, steps=4) == []
    record = launch(Program("train.py"), steps=4, time_limit=60)
    here = f"{Path.cwd() / 'train.py'}"
    assert waits(record) == {f"{here}:{ROWS + 8}": 3, f"{here}:{ROWS + 9}": 12}


TRAINS = "while True:\n    F.mse_loss(model(batch()[0]), batch()[1]).backward()\n    optimizer.step()\n"
UNSEEN = """
from torch.optim.optimizer import register_optimizer_step_post_hook as register
register(lambda *_: [setattr(each, "grad", None) for each in model.parameters()])
"""


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (TRAINS, "confirmed"),
        (UNSEEN + TRAINS, "refuted"),
        (f"def never():\n{textwrap.indent(TRAINS, '    ')}{textwrap.dedent(CLEAN['accumulation'])}", "not reached"),
    ],
)
def test_a_finding_is_confirmed_or_refuted_only_by_what_ran(text: str, state: str) -> None:
    assert [each.state.value for each in judged(text).findings if each.found.diagnostic.code == "TL201"] == [state]


MOVED = """
device = "cuda" if torch.cuda.is_available() else "cpu"
model.to(device)
total = 0.0
while True:
    x, y = (each.to(device) for each in batch())
    optimizer.zero_grad()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    total += {}
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("read", "state", "evidence"),
    [
        ("loss.item()", "confirmed", "it asks for a value 8 times in 8 steps"),
        ("float(loss)", "confirmed", "it asks for a value 8 times in 8 steps"),
        ("loss.detach().cpu()", "confirmed", "it asks for a value 8 times in 8 steps"),
        ("known(loss)", "confirmed", "it asks for a value 8 times in 8 steps"),
        ("loss.item()", "refuted", "reached, and it asks for no value of a tensor in 8 steps"),
    ],
)
def test_waits_are_confirmed_where_a_value_is_asked_for_and_refuted_where_none_is(read: str, state: str, evidence: str) -> None:
    text = MOVED.format(read)
    if state == "refuted":
        text = text.replace("    total +=", "    loss = unseen(loss)\n    total +=") + "\n"
        text = "import types\nunseen = eval('lambda loss: types.SimpleNamespace(item=lambda: 1.0)')\n" + text
    else:
        text = "def known(loss):\n    return loss.item()\n" + text
    found = [each for each in judged(text).findings if each.found.diagnostic.code == "TL402"]
    assert [(each.state.value, each.evidence) for each in found] == [(state, evidence)]


def test_what_no_finding_says_is_told_as_such() -> None:
    text = PLANTED["gradients not cleared"][0].replace("loss.backward()", "getattr(loss, 'back' + 'ward')()")
    found = judged(text)
    assert [each.found.diagnostic.code for each in found.findings] == []
    assert [each.kind for each in found.unseen] == ["gradients not cleared"]


class _OnDevice:
    """Stands for a device that is not there, as a test of what counts as a wait."""

    type = "cuda"


def test_on_a_device_only_values_that_lie_there_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from torchlint.sanity.own.loading import Files
    from torchlint.sanity.own.waiting import _ASKS, _ASKS_THERE, _MOVES, Waits

    class Elsewhere(torch.Tensor):
        device = _OnDevice()  # type: ignore[assignment]
        __torch_function__ = torch._C._disabled_torch_function_impl  # what is computed of it lies on the host

    kept = {name: getattr(torch.Tensor, name) for name in (*_ASKS, *_ASKS_THERE, *_MOVES)}
    files = Files(lambda path: None, lambda path: None)
    files._own["train.py"] = ""
    found = Waits(files, on_device=True)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr(torch.cuda, "_queued_calls", [])
    with warnings.catch_warnings():
        found.install()
    try:
        here, there = torch.ones(1), torch.ones(1).as_subclass(Elsewhere)
        calls = [
            *(
                "here.item()",
                "there.item()",
                "float(there)",
                "there.to('cpu', torch.half)",
                "there.to('cpu', torch.half, non_blocking=True)",
            ),
            *("here.to('cpu')", "f'{there}'", "bool(here)"),
        ]
        exec(compile("\n".join(calls), "train.py", "exec"), {"here": here, "there": there, "torch": torch})
    finally:
        for name, value in kept.items():
            setattr(torch.Tensor, name, value)
    assert found.taken()["waits"] == {f"train.py:{row}": 1 for row in (2, 3, 4, 7)}

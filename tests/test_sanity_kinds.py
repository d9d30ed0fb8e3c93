"""Programs of many kinds, each with a graph that is kept: all come to a verdict, and wrong fixes of them are found out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from torchlint import engine
from torchlint.edits import Applicability
from torchlint.sanity.own import report
from torchlint.sanity.own.blame import guilty
from torchlint.sanity.own.decide import Outcome, Trial, Verdict, decide
from torchlint.sanity.own.launch import Program
from torchlint.sanity.own.texts import Fixer, Sources
from torchlint.settings import Configuration

HEAD = """
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

data = TensorDataset(torch.randn(96, 4), torch.randn(96, 1))
model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
"""
KINDS = {
    "mixed precision": """
        def train(model, loader):
            optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
            total = 0.0
            for x, y in loader:
                optimizer.zero_grad()
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    loss = F.mse_loss(model(x), y)
                loss.backward()
                optimizer.step()
                total += loss
            print(total.item())
        train(model, DataLoader(data, batch_size=8, shuffle=True, num_workers=1))
    """,
    "two optimizers": """
        def train(maker, judge, loader):
            first, second = torch.optim.Adam(maker.parameters()), torch.optim.Adam(judge.parameters())
            total = 0.0
            for x, _ in loader:
                fake = maker(torch.randn(8, 4))
                second.zero_grad()
                wrong = F.softplus(-judge(x)).mean() + F.softplus(judge(fake.detach())).mean()
                wrong.backward()
                second.step()
                first.zero_grad()
                loss = F.softplus(-judge(fake)).mean()
                loss.backward()
                first.step()
                total += loss
            print(total.item())
        train(nn.Linear(4, 4), model, DataLoader(data, batch_size=8, shuffle=True))
    """,
    "a closure": """
        def train(model, loader):
            optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)
            total = 0.0
            for x, y in loader:
                def closure():
                    optimizer.zero_grad()
                    loss = F.mse_loss(model(x), y)
                    loss.backward()
                    return loss
                optimizer.step(closure)
                loss = F.mse_loss(model(x), y)
                loss.backward()
                total += loss
            print(total.item())
        train(model, DataLoader(data, batch_size=8, shuffle=True))
    """,
    "accumulation": """
        def train(model, loader):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            total = 0.0
            for number, (x, y) in enumerate(loader):
                loss = F.mse_loss(model(x), y) / 2
                loss.backward()
                if number % 2:
                    optimizer.step()
                    optimizer.zero_grad()
                total += loss
            print(total.item())
        train(model, DataLoader(data, batch_size=8, shuffle=True))
    """,
    "no optimizer": """
        def train(model, loader):
            total = 0.0
            for x, y in loader:
                model.zero_grad()
                loss = F.mse_loss(model(x), y)
                loss.backward()
                with torch.no_grad():
                    for each in model.parameters():
                        each -= 0.1 * each.grad
                total += loss
            print(total.item())
        train(model, DataLoader(data, batch_size=8, shuffle=True))
    """,
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def judged(text: str, *, fixer: Fixer | None = None, steps: int = 5, time_limit: float = 120) -> Outcome:
    Path("train.py").write_text(HEAD + textwrap.dedent(text), encoding="utf-8")
    sources = Sources(Configuration(isolated=True), Path.cwd(), Applicability.SAFE, **({"fixer": fixer} if fixer else {}))
    return decide(Trial(Program("train.py"), sources, steps, time_limit))


def spoilt(*pairs: tuple[str, str]) -> Fixer:
    def fix(text: str, settings: Any, path: str, project: Any, level: Applicability, known: frozenset[str]) -> str:
        fixed = engine.fix(text, settings, path=path, project=project, applicability=level, known=known).text
        assert fixed != text
        for old, new in pairs:
            assert old in fixed
            fixed = fixed.replace(old, new)
        return fixed

    return fix


@pytest.mark.parametrize("kind", KINDS)
def test_a_safe_fix_leaves_a_program_of_any_kind_identical(kind: str) -> None:
    found = judged(KINDS[kind])
    assert (found.verdict, found.reason) == (Verdict.IDENTICAL, "")
    assert [each.found.diagnostic.code for each in found.findings] == ["TL102"]
    assert found.original is not None
    assert found.fixed is not None
    assert found.original.steps == found.fixed.steps == 5


WRONG = {
    "detaches in place": (("total += loss.detach()", "total += 0"), ("loss.backward()", "loss.detach_(); loss.backward()")),
    "freezes a layer": (("    total = 0.0", "    model[0].requires_grad_(False)\n    total = 0.0"),),
    "loses a layer": (("nn.Dropout(0.5), ", ""),),
    "clears at the wrong place": (("    loss.backward()", "    loss.backward(); model.zero_grad()"),),
    "draws from another seed": (("import torch\n", "import torch\ntorch.manual_seed(7)\n"),),
}


@pytest.mark.parametrize("kind", ["mixed precision", "accumulation", "no optimizer"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_fix_is_found_out_in_a_program_of_any_kind(kind: str, wrong: str) -> None:
    found = judged(KINDS[kind], fixer=spoilt(*WRONG[wrong]))
    assert found.verdict is Verdict.UNEXPECTED
    assert [each.diagnostic.code for each in found.blamed] == ["TL102"]


MODES = """
from torch.utils._python_dispatch import TorchDispatchMode

class Counter(TorchDispatchMode):
    seen = 0
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        Counter.seen += 1
        return func(*args, **(kwargs or {}))

"""


@pytest.mark.parametrize(("around", "is_watched"), [("loss.backward()", True), ("train(model", False)])
def test_a_dispatch_mode_of_the_programs_own_is_left_in_its_place(around: str, is_watched: bool) -> None:
    text = textwrap.dedent(KINDS["accumulation"])
    (line,) = (each for each in text.splitlines() if each.strip().startswith(around))
    indent = line[: -len(line.lstrip())]
    found = judged(MODES + text.replace(line, f"{indent}with Counter():\n    {line}") + "print('seen', Counter.seen > 0)\n", steps=50)
    assert found.verdict is Verdict.IDENTICAL
    assert found.original is not None
    assert (found.original.how, found.original.steps) == ("finished", 6)
    assert "seen True" in found.original.output
    assert bool(found.original.memory) is is_watched


def test_halves_are_run_until_no_smaller_part_is_wrong_by_itself() -> None:
    runs: list[list[int]] = []

    def found(wrong: set[int], of: int, runs_at_most: int = 99) -> list[int]:
        runs.clear()

        def is_wrong(few: Sequence[int]) -> bool:
            runs.append(list(few))
            return wrong <= set(few)

        return list(guilty(range(of), is_wrong, lambda: len(runs) < runs_at_most))

    assert found({5}, 8) == [5]
    assert len(runs) <= 6
    assert found({0}, 1) == [0]
    assert found({1, 2}, 8) == [0, 1, 2, 3], "neither half of these is wrong without the other"
    assert found({7}, 8, runs_at_most=2) == [4, 5, 6, 7]


def test_a_program_that_takes_longer_than_its_time_is_judged_by_what_it_did() -> None:
    slow = KINDS["accumulation"].replace("loss.backward()", "loss.backward(); __import__('time').sleep(20 * (number == 7))")
    found = judged(slow, steps=50, time_limit=12)
    assert found.original is not None
    assert (found.original.how, found.original.steps, found.verdict) == ("timed out", 3, Verdict.IDENTICAL)
    assert "  3 steps, when its time was over; 2 runs; 1 file of yours imported." in report.as_text(found, Program("train.py")).splitlines()


def test_training_in_another_program_that_is_started_is_not_supported_and_said_so() -> None:
    found = judged("import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'print(1)'])\n")
    assert (found.verdict, found.reason) == (
        Verdict.FAILED,
        "train.py took no step itself, and started other processes: training in these is not supported",
    )

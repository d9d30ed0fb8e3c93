"""What a program costs is counted exactly, the same on every run, and a fix that saves nothing is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torchlint.edits import Effect
from torchlint.sanity import measure
from torchlint.sanity.scenario import parse
from torchlint.sanity.verdict import Trial, Verdict, judge

FLOAT = 4


def costs(program: Callable[[int], object], *measures: str) -> dict[str, float]:
    return measure.per_step(program, measures or ("kept", "waits", "copies"), (3, 7), "cpu")


def test_tensors_that_are_kept_are_counted_to_the_byte() -> None:
    assert costs(lambda steps: [torch.ones(100) for _ in range(steps)])["bytes"] == 100 * FLOAT


def test_tensors_that_are_let_go_are_not_counted() -> None:
    def program(steps: int) -> None:
        for _ in range(steps):
            torch.ones(100).add(1)

    assert costs(program)["bytes"] == 0


def test_views_of_one_storage_are_counted_once() -> None:
    def program(steps: int) -> object:
        kept = torch.ones(100)
        return [kept.view(10, 10)[index] for index in range(steps)]

    assert costs(program)["bytes"] == 0


def test_what_backward_lets_go_is_not_counted_but_its_nodes_are() -> None:
    weight = torch.ones(50, requires_grad=True)

    def program(steps: int) -> object:
        losses = []
        for _ in range(steps):
            loss = (weight * 2).exp().sum()
            loss.backward()
            losses.append(loss)  # torchlint: ignore[TL101]
        return losses

    found = costs(program)
    assert found["bytes"] == FLOAT
    assert found["nodes"] == 3


def test_without_backward_the_activations_stay_as_well() -> None:
    weight = torch.ones(50, requires_grad=True)
    found = costs(lambda steps: [(weight * 2).exp().sum() for _ in range(steps)])
    assert found["bytes"] == (50 + 1) * FLOAT
    assert found["nodes"] == 3


def test_a_total_keeps_the_graph_of_every_step_and_a_detached_one_none() -> None:
    weight = torch.ones(50, requires_grad=True)

    def total(steps: int, *, detach: bool) -> object:
        running: Any = 0.0
        for _ in range(steps):
            loss = (weight * 2).sum()
            loss.backward()
            running = running + (loss.detach() if detach else loss)
        return running

    assert costs(lambda steps: total(steps, detach=False))["nodes"] == 3
    assert costs(lambda steps: total(steps, detach=True))["nodes"] == 0


@pytest.mark.parametrize(
    ("ask", "waits"),
    [
        (lambda value: value.item(), 1),
        (lambda value: float(value), 1),
        (lambda value: bool(value > 0), 1),
        (lambda value: value.equal(value), 1),
        (lambda value: value.detach() + 1, 0),
        (lambda value: value.shape, 0),
    ],
)
def test_every_question_for_a_value_is_a_wait(ask: Callable[[Any], object], waits: int) -> None:
    value = torch.ones(())
    assert costs(lambda steps: [ask(value) for _ in range(steps)])["waits"] == waits


def test_copies_to_another_device_are_counted() -> None:
    found = costs(lambda steps: [(torch.zeros(2).to("meta"), torch.zeros(2, device="meta")) for _ in range(steps)])
    assert found["copies"] == 1


def test_counting_twice_gives_the_same() -> None:
    def program(steps: int) -> object:
        torch.manual_seed(0)
        model = torch.nn.Linear(8, 8)
        return [model(torch.randn(4, 8)).relu() for _ in range(steps)]

    assert costs(program) == costs(program)


def test_time_is_positive_and_never_judged() -> None:
    found = costs(lambda steps: [torch.ones(10) for _ in range(steps)], "time")
    assert found.keys() == {"seconds"}
    assert found["seconds"] > 0
    assert judged(("time",), {"seconds": 1.0}, {"seconds": 100.0}).verdict is Verdict.PROVEN


def test_cudas_own_warnings_are_counted_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)
    with measure._synchronisations("cuda") as warned:
        import warnings

        warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
        warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
    assert (len(warned), modes) == (2, ["warn", "default"])


def judged(measures: tuple[str, ...], before: dict[str, float], after: dict[str, float]) -> Any:
    scenario = parse(f"MEASURE = {measures!r}\ndef program(device, steps=1): pass")
    trial = Trial("TL999", "some-rule", Effect.KEEPS, scenario, "")
    observation = {"unusable": None, "raised": None, "result": {"kind": "plain", "type": "str", "value": ""}, "printed": "", "random": {}}
    return judge(trial, "cpu", {"original": {**observation, "costs": before}, "fixed": {**observation, "costs": after}})


@pytest.mark.parametrize(
    ("measure_name", "before", "after", "reason"),
    [
        ("kept", {"bytes": 100.0, "nodes": 4.0}, {"bytes": 100.0, "nodes": 0.0}, ""),
        (
            "kept",
            {"bytes": 100.0, "nodes": 4.0},
            {"bytes": 100.0, "nodes": 4.0},
            "the fix does not lower kept: 100 became 100, 4 became 4 per step",
        ),
        (
            "kept",
            {"bytes": 100.0, "nodes": 4.0},
            {"bytes": 200.0, "nodes": 0.0},
            "the fix raises kept: 100 became 200, 4 became 0 per step",
        ),
        ("waits", {"waits": 1.0}, {"waits": 0.0}, ""),
        ("waits", {"waits": 1.0}, {"waits": 1.0}, "the fix does not lower waits: 1 became 1 per step"),
        ("copies", {"copies": 1.0}, {"copies": 2.0}, "the fix does not lower copies: 1 became 2 per step"),
    ],
)
def test_a_promised_gain_must_show(measure_name: str, before: dict[str, float], after: dict[str, float], reason: str) -> None:
    found = judged((measure_name,), before, after)
    assert (found.reason, found.verdict) == (reason, Verdict.FAILED if reason else Verdict.PROVEN)

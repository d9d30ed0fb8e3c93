"""What a program costs is counted exactly, the same on every run, and a fix that saves nothing is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torchlint.edits import Applicability, Effect
from torchlint.sanity import measure
from torchlint.sanity.scenario import parse
from torchlint.sanity.verdict import Trial, Verdict, judge

FLOAT = 4


def costs(program: Callable[[int], object]) -> dict[str, float]:
    return measure.per_step(program, (3, 7), "cpu")


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


def test_kernels_are_counted_with_what_they_write_and_views_and_copies_to_a_device_are_none() -> None:
    def program(steps: int) -> None:
        kept = torch.ones(10, 10)
        for _ in range(steps):
            kept[2:].reshape(80).t()
            kept.add_(1)
            kept * 2

    found = costs(program)
    assert (found["kernels"], found["written"]) == (2, 2 * 100 * FLOAT)


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


class Copied:
    """`aten.copy_` as a mode sees it, between devices that need not be there."""

    overloadpacket = torch.ops.aten.copy_

    def __call__(self, target: Any, source: Any, non_blocking: bool = False) -> Any:
        return target


@pytest.mark.parametrize(
    ("arguments", "keywords", "waits"), [((), {}, 1), ((False,), {}, 1), ((True,), {}, 0), ((), {"non_blocking": True}, 0)]
)
def test_a_copy_to_the_host_is_a_wait_unless_it_does_not_block(arguments: Any, keywords: Any, waits: int) -> None:
    traffic = measure._Traffic("cuda")
    host, device = torch.zeros(2), torch.zeros(2, device="meta")
    traffic.__torch_dispatch__(Copied(), (), (host, device, *arguments), keywords)
    traffic.__torch_dispatch__(Copied(), (), (device, host, *arguments), keywords)
    assert (traffic.waits, traffic.copies) == (waits, 1)


def test_cudas_own_warnings_are_counted_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)
    with measure._synchronisations("cuda") as warned:
        import warnings

        warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
        warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
    assert (len(warned), modes) == (2, ["warn", "default"])


def judged(promised: str, before: dict[str, float], after: dict[str, float], grade: Applicability = Applicability.SAFE) -> Any:
    scenario = parse(f"COSTS = {promised}\ndef program(device, steps=1): pass")
    trial = Trial("TL999", "some-rule", Effect.KEEPS, scenario, "", grade)
    observation = {"unusable": None, "raised": None, "result": {"kind": "plain", "type": "str", "value": ""}, "printed": "", "random": {}}
    return judge(trial, "cpu", {"original": {**observation, "costs": before}, "fixed": {**observation, "costs": after}})


KEPT = {"bytes": 100.0, "nodes": 4.0}


@pytest.mark.parametrize(
    ("promised", "before", "after", "reason"),
    [
        ("{'nodes': 0}", KEPT, {"bytes": 100.0, "nodes": 0.0}, ""),
        ("{'bytes': 8, 'nodes': 0}", KEPT, {"bytes": 8.0, "nodes": 0.0}, ""),
        ("{'bytes': 8}", KEPT, {"bytes": 99.0, "nodes": 0.0}, "the fix leaves 99 bytes per step of 100, and the page promises 8"),
        ("{'bytes': 8, 'nodes': 0}", KEPT, {"bytes": 8.0, "nodes": 1.0}, "the fix leaves 1 nodes per step of 4, and the page promises 0"),
        ("{'waits': 0}", {"waits": 2.0}, {"waits": 1.0}, "the fix leaves 1 waits per step of 2, and the page promises 0"),
        ("{'copies': 1}", {"copies": 1.0}, {"copies": 1.0}, "the mistake costs no more than the page promises of the fix: 1 copies"),
        ("{'waits': 0}", {"waits": 2.0, "synchronisations": 4.0}, {"waits": 0.0, "synchronisations": 2.0}, ""),
        (
            "{'waits': 0}",
            {"waits": 2.0, "synchronisations": 4.0},
            {"waits": 0.0, "synchronisations": 4.0},
            "CUDA saw 4 synchronisations per step become 4, while 2 waits became 0",
        ),
    ],
)
def test_the_promised_amount_must_be_all_that_is_left(
    promised: str, before: dict[str, float], after: dict[str, float], reason: str
) -> None:
    found = judged(promised, before, after)
    assert (found.reason, found.verdict) == (reason, Verdict.FAILED if reason else Verdict.PROVEN)


def test_safe_fixes_may_leave_what_they_promise_to_leave() -> None:
    before, after = {"copies": 5.0}, {"copies": 3.0}
    assert judged("{'copies': (3, 0)}", before, after).verdict is Verdict.PROVEN
    assert judged("{'copies': (3, 0)}", before, after, Applicability.UNSAFE).verdict is Verdict.FAILED

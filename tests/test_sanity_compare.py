"""Every kind of wrong fix is refuted, and the refutation names what it changed.

Programs run through the real child code, in this process for speed; `test_sanity_trials.py` runs them as processes.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torchlint.edits import Effect
from torchlint.sanity import child
from torchlint.sanity.compare import ASPECTS, compare
from torchlint.sanity.scenario import parse
from torchlint.sanity.trials import programs
from torchlint.sanity.verdict import Outcome, Trial, Verdict, judge

HEADER = """
import torch
import torch.nn.functional as F
from torch import nn
"""


@pytest.fixture(autouse=True)
def _torch_as_it_was() -> Any:
    threads, random_state = torch.get_num_threads(), torch.random.get_rng_state()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)
    torch.random.set_rng_state(random_state)


def outcome(tmp_path: Path, original: str, fixed: str, effect: Effect = Effect.KEEPS) -> Outcome:
    trial = Trial("TL999", "some-rule", effect, parse(HEADER + original), HEADER + fixed)
    observed = {}
    for role, job in programs(trial, "cpu").items():
        path = tmp_path / f"{role}.py"
        path.write_text(job["text"], encoding="utf-8")
        observed[role] = child.run(job | {"program": str(path)})
    return judge(trial, "cpu", observed)


NETWORK = """
def example(device):
    return torch.linspace(0, 1, 8, device=device).reshape(2, 4)

def program(device):
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    loss = model(example(device)).sum()
    loss.backward()
    return {"model": model, "loss": loss.detach()}
"""

WRONG_FIXES = {
    "value": ("def program(device):\n    return torch.ones(2)", "def program(device):\n    return torch.tensor([1.0, 1.0001])"),
    "dtype": ("def program(device):\n    return torch.zeros(2)", "def program(device):\n    return torch.zeros(2, dtype=torch.float64)"),
    "shape": ("def program(device):\n    return torch.zeros(1, 2)", "def program(device):\n    return torch.zeros(2)"),
    "strides": ("def program(device):\n    return torch.zeros(2, 3).t()", "def program(device):\n    return torch.zeros(3, 2)"),
    "device": ("def program(device):\n    return torch.zeros(2)", "def program(device):\n    return torch.zeros(2, device='meta')"),
    "type": ("def program(device):\n    return torch.zeros(())", "def program(device):\n    return torch.zeros(()).item()"),
    "requires_grad": (
        "def program(device):\n    return torch.zeros(2)",
        "def program(device):\n    return torch.zeros(2, requires_grad=True)",
    ),
    "is_leaf": (
        "def program(device):\n    return torch.zeros(2, requires_grad=True)",
        "def program(device):\n    return torch.zeros(2, requires_grad=True).clone()",
    ),
    "gradient": (NETWORK, NETWORK.replace("loss.backward()", "(2 * loss).backward()")),
    "state_dict": (
        NETWORK,
        NETWORK.replace("nn.Sequential(", "nn.Sequential(*[").replace("1))", "1)])").replace("*[", "*[nn.Identity(), "),
    ),
    "mode": (NETWORK, NETWORK.replace("return {", "model.eval()\n    return {")),
    "train": (NETWORK, NETWORK.replace("loss.backward()", "loss.backward()\n    model[1].p = 0.1")),
    "eval": (
        NETWORK,
        NETWORK.replace(
            "def program", "class Always(nn.Dropout):\n    def forward(self, x):\n        return F.dropout(x, self.p)\n\ndef program"
        ).replace("nn.Dropout(0.5)", "Always(0.5)"),
    ),
    "aliasing": (
        "def program(device):\n    x = torch.zeros(2)\n    return [x, x.view(2)]",
        "def program(device):\n    x = torch.zeros(2)\n    return [x, x.clone()]",
    ),
    "printed": (
        "def program(device):\n    print(torch.ones(()))",
        "def program(device):\n    print(torch.ones(()).item())",
    ),
    "random": (
        "def program(device):\n    return torch.zeros(2)",
        "def program(device):\n    torch.rand(1)\n    return torch.zeros(2)",
    ),
}


@pytest.mark.parametrize("aspect", WRONG_FIXES)
def test_a_wrong_fix_is_refuted_by_the_aspect_that_it_changes(aspect: str, tmp_path: Path) -> None:
    original, wrong = WRONG_FIXES[aspect]
    found = outcome(tmp_path, original, wrong)
    assert found.verdict is Verdict.FAILED
    assert aspect in {difference.aspect for difference in found.differences}
    assert found.reason.startswith("the fix changes the program: ")


@pytest.mark.parametrize(
    "aspect", sorted({"value", "dtype", "shape", "strides", "requires_grad", "is_leaf", "mode", "aliasing", "printed", "random"})
)
def test_a_change_of_one_aspect_is_not_blamed_on_another(aspect: str, tmp_path: Path) -> None:
    assert outcome(tmp_path, *WRONG_FIXES[aspect]).changed == (aspect,)


def test_every_aspect_has_a_wrong_fix_here() -> None:
    assert set(ASPECTS) - {"raised"} == set(WRONG_FIXES)


@pytest.mark.parametrize("text", [original for original, _ in WRONG_FIXES.values()])
def test_a_program_equals_itself(text: str, tmp_path: Path) -> None:
    found = outcome(tmp_path, text, text)
    assert (found.verdict, found.largest, found.changed) == (Verdict.PROVEN, 0.0, ())


@pytest.mark.parametrize(
    ("wrong", "aspect"),
    [
        ("optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)", "value"),
        ("optimizer = torch.optim.SGD(list(model.parameters())[:1], lr=0.1, momentum=0.9)", "value"),
        ("optimizer = torch.optim.Adam(model.parameters(), lr=0.1)", "type"),
    ],
)
def test_an_optimizer_is_compared_with_its_parameters_and_state(wrong: str, aspect: str, tmp_path: Path) -> None:
    right = "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)"
    text = f"def program(device):\n    model = nn.Linear(2, 2)\n    {right}\n    return [model, optimizer]"
    assert aspect in outcome(tmp_path, text, text.replace(right, wrong)).changed


def test_a_parameter_that_the_optimizer_holds_is_the_models_own(tmp_path: Path) -> None:
    text = "def program(device):\n    model = nn.Linear(2, 2)\n    return [model, torch.optim.SGD(model.parameters(), lr=0.1)]"
    stale = text.replace("model.parameters()", "[p.detach().clone().requires_grad_() for p in model.parameters()]")
    assert "aliasing" in outcome(tmp_path, text, stale).changed


def test_a_buffer_that_is_not_saved_is_compared(tmp_path: Path) -> None:
    text = "def program(device):\n    m = nn.Module()\n    m.register_buffer('m', torch.ones(2), persistent=False)\n    return m"
    assert outcome(tmp_path, text, text.replace("ones", "zeros")).changed == ("value",)


def test_random_numbers_of_python_and_numpy_are_observed(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    text = "import random\nimport numpy as np\ndef program(device):\n    return [random.random(), np.random.rand(2)]"
    assert outcome(tmp_path, text, text).verdict is Verdict.PROVEN
    for extra in ("random.random()", "np.random.rand()"):
        changed = outcome(tmp_path, text, text.replace("return", f"{extra}\n    return")).changed
        assert {"random", "value"} <= set(changed)


def test_what_cannot_be_compared_is_refused_by_name(tmp_path: Path) -> None:
    found = outcome(tmp_path, "def program(device):\n    return {'it': object()}", "def program(device):\n    return {'it': object()}")
    assert found.verdict is Verdict.FAILED
    assert "the program with the mistake: result[it] is a object, which cannot be compared" in found.reason


def test_a_fixed_program_that_raises_is_a_failure_with_the_reason(tmp_path: Path) -> None:
    found = outcome(tmp_path, "def program(device):\n    return 1", "def program(device):\n    raise ValueError('no such thing')")
    assert (found.verdict, found.reason) == (Verdict.FAILED, "the fixed program raised ValueError: no such thing")


def test_a_stated_change_is_allowed_and_no_other(tmp_path: Path) -> None:
    original = "CHANGES = ('requires_grad', 'is_leaf')\ndef program(device):\n    return torch.ones(2, requires_grad=True) * 2"
    assert outcome(tmp_path, original, original.replace("* 2", "* 2 ").replace("return ", "return 1 * ")).verdict is Verdict.FAILED
    detached = original.replace("return torch.ones(2, requires_grad=True) * 2", "return (torch.ones(2, requires_grad=True) * 2).detach()")
    assert outcome(tmp_path, original, detached).verdict is Verdict.PROVEN
    halved = outcome(tmp_path, original, detached.replace(".detach()", ".detach().half()"))
    assert halved.reason == "the fix changes the program: dtype of result: float32 became float16"


def test_a_stated_change_that_does_not_happen_is_a_failure(tmp_path: Path) -> None:
    text = "CHANGES = ('dtype',)\ndef program(device):\n    return torch.ones(2)"
    found = outcome(tmp_path, text, text)
    assert found.reason == "the scenario says that the mistake changes dtype, and it does not"


def test_floats_within_the_stated_tolerance_are_equal_and_the_distance_is_reported(tmp_path: Path) -> None:
    text = "TOLERANCE = 1e-5\ndef program(device):\n    return [torch.ones(2), 1.0]"
    near = text.replace("torch.ones(2), 1.0", "torch.ones(2) + 1e-6, 1.0")
    found = outcome(tmp_path, text, near)
    assert found.verdict is Verdict.PROVEN
    assert found.largest == pytest.approx(1e-6, rel=0.1)
    assert outcome(tmp_path, text.replace("1e-5", "0.0"), near).verdict is Verdict.FAILED


REPAIRED = """
def reference(device):
    return {"total": torch.ones(3).sum()}

def program(device):
    return {"total": torch.ones(3).mean()}
"""


@pytest.mark.parametrize(
    ("replacement", "verdict", "reason"),
    [
        ("torch.ones(3).sum()", Verdict.PROVEN, ""),
        ("torch.ones(3).mean() * 2", Verdict.FAILED, "the fixed program is not the reference: value of result[total]: 2.0 became 3.0"),
        ("torch.ones(3).mean()", Verdict.FAILED, "the fixed program is not the reference: value of result[total]: 1.0 became 3.0"),
    ],
)
def test_a_repair_must_reach_the_reference(replacement: str, verdict: Verdict, reason: str, tmp_path: Path) -> None:
    found = outcome(tmp_path, REPAIRED, REPAIRED.replace("torch.ones(3).mean()", replacement), Effect.REPAIRS)
    assert (found.verdict, found.reason) == (verdict, reason)


def test_a_repair_of_what_was_right_is_refused(tmp_path: Path) -> None:
    right = REPAIRED.replace("mean", "sum")
    found = outcome(tmp_path, right, right, Effect.REPAIRS)
    assert found.reason == "the mistake makes no difference: the program equals its reference"


def test_a_mistake_that_raises_is_repaired_by_what_does_not(tmp_path: Path) -> None:
    original = "RAISES = 'TypeError'\ndef reference(device):\n    return 2.0\ndef program(device):\n    return torch.sqrt(4)"
    found = outcome(tmp_path, original, original.replace("torch.sqrt(4)", "2.0"), Effect.REPAIRS)
    assert (found.verdict, found.changed) == (Verdict.PROVEN, ("raised",))
    unexpected = outcome(tmp_path, original.replace("TypeError", "ValueError"), original, Effect.REPAIRS)
    assert unexpected.reason.startswith("the program with the mistake raised TypeError: ")
    harmless = outcome(tmp_path, original.replace("torch.sqrt(4)", "3.0"), original, Effect.REPAIRS)
    assert harmless.reason == "the program with the mistake was to raise TypeError and did not"


def number(value: Any) -> dict[str, Any]:
    node = {"kind": "number", "type": type(value).__name__, "values": [value]}
    return {"raised": None, "result": node, "printed": "", "random": {}}


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (0.0, -0.0, False),
        (2**62, 2**62 + 1, False),
        (True, False, False),
        (1.0, math.nextafter(1.0, 2.0), False),
    ],
)
def test_numbers_are_equal_to_the_last_bit_or_not_at_all(first: Any, second: Any, equal: bool) -> None:
    assert (not compare(number(first), number(second)).differences) == equal


def test_a_tolerance_never_excuses_integers() -> None:
    assert compare(number(1_000_000), number(1_000_001), tolerance=1e-2).aspects == {"value"}

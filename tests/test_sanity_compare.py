"""Every kind of wrong fix is refuted, and the refutation names what it changed.

Programs run through the real child code, in this process for speed; `test_sanity_trials.py` runs them as processes.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torchlint.edits import Applicability, Effect
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


def outcome(tmp_path: Path, original: str, fixed: str, effect: Effect = Effect.KEEPS, grade: Applicability = Applicability.SAFE) -> Outcome:
    trial = Trial("TL999", "some-rule", effect, parse(HEADER + original), HEADER + fixed, grade)
    observed = {}
    for role, job in programs(trial, "cpu").items():
        path = tmp_path / f"{role}.py"
        path.write_text(job["text"], encoding="utf-8")
        observed[role] = child.run(job, path)
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
    "offset": ("def program(device):\n    return torch.zeros(4)[2:]", "def program(device):\n    return torch.zeros(4)[:2]"),
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
    "aspect", sorted({"value", "dtype", "shape", "strides", "offset", "requires_grad", "is_leaf", "mode", "aliasing", "printed", "random"})
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
    original = "CHANGES = {'result': ('requires_grad', 'is_leaf')}\ndef program(device):\n    return torch.ones(2, requires_grad=True) * 2"
    assert outcome(tmp_path, original, original.replace("* 2", "* 2 ").replace("return ", "return 1 * ")).verdict is Verdict.FAILED
    detached = original.replace("return torch.ones(2, requires_grad=True) * 2", "return (torch.ones(2, requires_grad=True) * 2).detach()")
    assert outcome(tmp_path, original, detached).verdict is Verdict.PROVEN
    halved = outcome(tmp_path, original, detached.replace(".detach()", ".detach().half()"))
    assert halved.reason == "the fix changes the program: dtype of result: float32 became float16"


def test_a_stated_change_that_does_not_happen_is_a_failure(tmp_path: Path) -> None:
    text = "CHANGES = {'result': ('dtype',)}\ndef program(device):\n    return torch.ones(2)"
    found = outcome(tmp_path, text, text)
    assert found.reason == "the scenario says that there is a change of the dtype of result, and there is none"


def test_floats_within_the_stated_tolerance_are_equal_and_the_distance_is_reported(tmp_path: Path) -> None:
    text = "TOLERANCE = {'result[*]': 1e-5}\ndef program(device):\n    return [torch.ones(2), 1.0]"
    near = text.replace("torch.ones(2), 1.0", "torch.ones(2) + 1e-6, 1.0")
    found = outcome(tmp_path, text, near)
    assert found.verdict is Verdict.PROVEN
    assert found.largest == pytest.approx(1e-6, rel=0.1)
    assert outcome(tmp_path, text.replace("result[*]", "result[1]"), near).verdict is Verdict.FAILED


REPAIRED = """
CHANGES = {"result[total]": ("value",)}
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
    repaired = "def reference(device):\n    return 2.0\ndef program(device):\n    return torch.sqrt(4)"
    original = f"RAISES = 'TypeError'\nCHANGES = {{'the program': ('raised',)}}\n{repaired}"
    found = outcome(tmp_path, original, original.replace("torch.sqrt(4)", "2.0"), Effect.REPAIRS)
    assert (found.verdict, found.changed) == (Verdict.PROVEN, ("raised",))
    unexpected = outcome(tmp_path, original.replace("TypeError", "ValueError"), original, Effect.REPAIRS)
    assert unexpected.reason.startswith("the program with the mistake raised TypeError: ")
    harmless = outcome(tmp_path, original.replace("torch.sqrt(4)", "3.0"), original, Effect.REPAIRS)
    assert harmless.reason == "the program with the mistake was to raise TypeError and did not"


def number(value: Any) -> dict[str, Any]:
    node = {"kind": "number", "type": type(value).__name__, "values": [value]}
    return {"raised": None, "message": "", "result": node, "printed": "", "random": {}}


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
    assert compare(number(1_000_000), number(1_000_001), {"*": 1e-2}).aspects == {"value"}


def test_an_exception_that_the_program_keeps_is_compared_with_its_message(tmp_path: Path) -> None:
    original = "RAISES = 'ValueError'\ndef program(device):\n    raise ValueError('no weights')"
    assert outcome(tmp_path, original, original).verdict is Verdict.PROVEN
    found = outcome(tmp_path, original, original.replace("no weights", "no bias"))
    assert found.reason == "the fix changes the program: raised of the program: ValueError: no weights became ValueError: no bias"


def test_an_exception_that_the_program_returns_is_compared_with_its_message(tmp_path: Path) -> None:
    original = "def program(device):\n    return [ValueError('no weights')]"
    assert outcome(tmp_path, original, original).verdict is Verdict.PROVEN
    assert outcome(tmp_path, original, original.replace("weights", "bias")).changed == ("value",)


CLASSES = """
class First(nn.Linear):
    pass

class Second(nn.Linear):
    pass

def program(device):
    return First(2, 2)
"""


def test_classes_of_the_program_are_told_apart_unless_one_stands_for_the_other(tmp_path: Path) -> None:
    other = CLASSES.replace("return First", "return Second")
    found = outcome(tmp_path, CLASSES, other)
    assert found.reason == "the fix changes the program: type of result: scenario.First became scenario.Second"
    stated = "STANDS_FOR = {'scenario.Second': 'scenario.First'}\n"
    assert outcome(tmp_path, stated + CLASSES, other).verdict is Verdict.PROVEN


def test_a_class_of_the_program_is_not_the_one_of_torch_that_it_is_named_after(tmp_path: Path) -> None:
    mine = CLASSES.replace("First", "Linear")
    assert outcome(tmp_path, mine, mine.replace("return Linear", "return nn.Linear")).changed == ("type",)


FROZEN = """
CHANGES = {"result[total]": ("requires_grad", "is_leaf")}
def program(device):
    model = nn.Linear(2, 1)
    total = model(torch.ones(2))
    return {"model": model, "total": total}
"""


def test_a_change_is_allowed_at_its_path_and_nowhere_else(tmp_path: Path) -> None:
    detached = FROZEN.replace("total}", "total.detach()}")
    assert outcome(tmp_path, FROZEN, detached).verdict is Verdict.PROVEN
    frozen = outcome(tmp_path, FROZEN, detached.replace("    return", "    model.requires_grad_(False)\n    return"))
    assert frozen.reason == "the fix changes the program: requires_grad of result[model].parameters[weight]: True became False"


def test_what_only_unsafe_fixes_may_change_is_wrong_for_safe_ones(tmp_path: Path) -> None:
    text = "UNSAFE_CHANGES = {'the torch generator': ('random',)}\ndef program(device):\n    torch.rand(1)"
    drawn = text.replace("torch.rand(1)", "pass")
    assert outcome(tmp_path, text, drawn, grade=Applicability.UNSAFE).verdict is Verdict.PROVEN
    assert outcome(tmp_path, text, drawn).reason.startswith("the fix changes the program: random of the torch generator: ")
    assert outcome(tmp_path, text, text).verdict is Verdict.PROVEN


TWICE = """
CHANGES = {"result[0]": ("value",)}
UNSAFE_CHANGES = {"result[1]": ("value",)}
def reference(device):
    return [1, 1]

def program(device):
    return [0, 0]
"""


@pytest.mark.parametrize(
    ("grade", "returned", "reason"),
    [
        (Applicability.SAFE, "[1, 0]", ""),
        (Applicability.SAFE, "[1, 1]", "the scenario says that there is a change of the value of result[1], and there is none"),
        (Applicability.SAFE, "[0, 0]", "the fixed program is not the reference: value of result[0]: 0 became 1"),
        (Applicability.UNSAFE, "[1, 1]", ""),
        (Applicability.UNSAFE, "[1, 0]", "the fixed program is not the reference: value of result[1]: 0 became 1"),
    ],
)
def test_safe_repairs_leave_what_only_unsafe_ones_repair(grade: Applicability, returned: str, reason: str, tmp_path: Path) -> None:
    assert outcome(tmp_path, TWICE, TWICE.replace("[0, 0]", returned), Effect.REPAIRS, grade).reason == reason


def test_a_reference_that_changes_more_than_is_said_proves_nothing(tmp_path: Path) -> None:
    wrong = REPAIRED.replace("torch.ones(3).sum()}", "torch.ones(3).sum(), 'more': 1}")
    found = outcome(tmp_path, wrong, wrong.replace("torch.ones(3).mean()}", "torch.ones(3).sum(), 'more': 1}"), Effect.REPAIRS)
    assert found.reason.startswith("the reference changes what the scenario does not name: value of result keys: ")

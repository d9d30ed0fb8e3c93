"""A scenario that is written wrongly is refused with a reason, never run as if it were right."""

from __future__ import annotations

import pytest

from torchlint.edits import Effect
from torchlint.sanity.scenario import ScenarioError, parse
from torchlint.sanity.verdict import Trial

PROGRAM = "def program(device, steps=3): pass\n"


def test_constants_are_read_without_running_the_text() -> None:
    scenario = parse(f"raise SystemExit\nTOLERANCE = 1e-6\nMEASURE = ('kept', 'time')\nSTEPS = (2, 5)\nDEVICES = ('cpu',)\n{PROGRAM}")
    assert (scenario.tolerance, scenario.measure, scenario.steps, scenario.devices) == (1e-6, ("kept", "time"), (2, 5), ("cpu",))


def test_the_programs_own_constants_are_its_own() -> None:
    assert parse(f"WIDTH = 8\nDEPTH = WIDTH * 2\n{PROGRAM}").tolerance == 0.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def programme(device): pass", "it has no function program(device)"),
        ("def program(device:\n", "line 1: "),
        (f"TOLERANCE = 1\n{PROGRAM}", "line 1: TOLERANCE must be a small float"),
        (f"TOLERANCE = 10.0 ** -3\n{PROGRAM}", "line 1: TOLERANCE must be a literal"),
        (f"\nTOLERENCE = 1e-3\n{PROGRAM}", "line 2: TOLERENCE means nothing here; is it TOLERANCE?"),
        (f"MEASURE = ('memory',)\n{PROGRAM}", "line 1: MEASURE must be a tuple out of kept, waits, copies, time"),
        (f"MEASURE = ('kept')\n{PROGRAM}", "line 1: MEASURE must be a tuple out of"),
        (f"CHANGES = ('grad',)\n{PROGRAM}", "line 1: CHANGES must be a tuple out of value, dtype"),
        (f"STEPS = (4, 4)\n{PROGRAM}", "line 1: STEPS must be two numbers, the smaller one first"),
        (f"DEVICES = ('gpu',)\n{PROGRAM}", "line 1: DEVICES must be a tuple out of cpu, cuda, mps"),
        (f"RAISES = TypeError\n{PROGRAM}", "line 1: RAISES must be a literal"),
        ("MEASURE = ('kept',)\ndef program(device): pass", "MEASURE counts per step, so program(device, steps=...) must take steps"),
    ],
)
def test_a_wrong_scenario_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse(text)
    assert str(refused.value).startswith(reason)


def test_a_repair_without_a_reference_cannot_be_proven() -> None:
    with pytest.raises(ScenarioError, match="has no function reference"):
        Trial("TL999", "some-rule", Effect.REPAIRS, parse(PROGRAM), PROGRAM)


def test_a_fix_that_is_only_shown_needs_a_reference() -> None:
    with pytest.raises(ScenarioError, match="has no function reference"):
        Trial("TL999", "some-rule", Effect.KEEPS, parse(PROGRAM), None)


def test_a_reference_that_nothing_would_read_is_refused() -> None:
    with pytest.raises(ScenarioError, match="nothing compares it with reference"):
        Trial("TL999", "some-rule", Effect.KEEPS, parse(f"{PROGRAM}def reference(device): pass"), PROGRAM)

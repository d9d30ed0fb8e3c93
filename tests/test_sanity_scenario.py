"""A scenario that is written wrongly is refused with a reason, never run as if it were right."""

from __future__ import annotations

import pytest

from torchlint.edits import Effect
from torchlint.sanity.scenario import Change, Mutant, ScenarioError, parse, parse_mutants
from torchlint.sanity.verdict import Trial

PROGRAM = "def program(device, steps=3): pass\n"


def test_constants_are_read_without_running_the_text() -> None:
    constants = (
        "TOLERANCE = {'result': 1e-6}\nCOSTS = {'bytes': 8, 'waits': (2, 0), 'copies': (None, 1)}\nSTEPS = (2, 5)\nDEVICES = ('cpu',)\n"
    )
    scenario = parse(f"raise SystemExit\n{constants}CHANGES = {{'result[*]': ('value', 'dtype')}}\n{PROGRAM}")
    assert (scenario.tolerances, scenario.steps, scenario.devices) == ({"result": 1e-6}, (2, 5), ("cpu",))
    assert scenario.costs == {"bytes": (8, 8), "waits": (2, 0), "copies": (None, 1)}
    assert scenario.changes == (Change("result[*]", "value"), Change("result[*]", "dtype"))


def test_the_programs_own_constants_are_its_own() -> None:
    assert parse(f"WIDTH = 8\nDEPTH = WIDTH * 2\n{PROGRAM}").tolerances == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def programme(device): pass", "it has no function program(device)"),
        ("def program(device:\n", "line 1: "),
        (f"TOLERANCE = 1e-6\n{PROGRAM}", "line 1: TOLERANCE must be a dict from paths to small floats"),
        (f"TOLERANCE = 10.0 ** -3\n{PROGRAM}", "line 1: TOLERANCE must be a literal"),
        (f"\nTOLERENCE = 1e-3\n{PROGRAM}", "line 2: TOLERENCE means nothing here; is it TOLERANCE?"),
        (f"COSTS = {{'memory': 0}}\n{PROGRAM}", "line 1: COSTS must be a dict from bytes, nodes, waits, copies, kernels"),
        (
            f"COSTS = {{'bytes': (1, 2, 3)}}\n{PROGRAM}",
            "line 1: COSTS must be a dict from bytes, nodes, waits, copies, kernels",
        ),
        (
            f"COSTS = {{'bytes': (1, None)}}\n{PROGRAM}",
            "line 1: COSTS must be a dict from bytes, nodes, waits, copies, kernels",
        ),
        (f"CHANGES = ('value',)\n{PROGRAM}", "line 1: CHANGES must be a dict from paths to tuples out of value, dtype"),
        (f"CHANGES = {{'result': ('grad',)}}\n{PROGRAM}", "line 1: CHANGES must be a dict from paths to tuples out of value, dtype"),
        (f"CHANGES = {{'result': ('value')}}\n{PROGRAM}", "line 1: CHANGES must be a dict from paths to tuples out of value, dtype"),
        (f"STANDS_FOR = {{'A': 1}}\n{PROGRAM}", "line 1: STANDS_FOR must be a dict from classes"),
        (f"STEPS = (4, 4)\n{PROGRAM}", "line 1: STEPS must be two numbers, the smaller one first"),
        (f"DEVICES = ('gpu',)\n{PROGRAM}", "line 1: DEVICES must be a tuple out of cpu, cuda, mps"),
        (f"RAISES = TypeError\n{PROGRAM}", "line 1: RAISES must be a literal"),
        ("COSTS = {'bytes': 0}\ndef program(device): pass", "COSTS are counted per step, so program(device, steps=...) must take steps"),
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


def test_mutants_are_read_without_running_their_file() -> None:
    text = "raise SystemExit\nMUTANTS = {'one': ('a', 'b'), 'two': (('a', 'b'), ('c', 'd'))}"
    assert parse_mutants(text) == (Mutant("one", (("a", "b"),)), Mutant("two", (("a", "b"), ("c", "d"))))


@pytest.mark.parametrize(
    "text", ["", "MUTANTS = f()", "MUTANTS =", "MUTANTS = ['a']", "MUTANTS = {'one': 'a'}", "MUTANTS = {'one': ('a',)}"]
)
def test_mutants_that_are_written_wrongly_are_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match="MUTANTS"):
        parse_mutants(text)


def test_a_mutant_needs_everything_that_it_replaces() -> None:
    both = Mutant("both", (("a", "b"), ("c", "d")))
    assert both.apply("a, c, a") == "b, d, b"
    assert both.apply("a alone") is None

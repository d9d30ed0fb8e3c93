"""Programs run as processes of their own: isolated, repeatable, and judged also when they die."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("torch")

from torchlint.edits import Effect
from torchlint.sanity import trials
from torchlint.sanity.processes import ChildFailedError, execute
from torchlint.sanity.scenario import parse
from torchlint.sanity.verdict import Outcome, Trial, Verdict


def run(original: str, fixed: str, *devices: str) -> list[Outcome]:
    trial = Trial("TL999", "some-rule", Effect.KEEPS, parse(original), fixed)
    return list(trials.run([trial], devices or ("cpu",), workers=2))


def test_two_processes_draw_the_same_numbers_and_hash_alike() -> None:
    text = "import random, torch\ndef program(device):\n    return [torch.rand(3), random.random(), hash('text'), list({'a', 'b', 'c'})]\n"
    (found,) = run(text, text)
    assert (found.verdict, found.reason) == (Verdict.PROVEN, "")


def test_each_program_has_a_process_of_its_own() -> None:
    text = "import os\ndef program(device):\n    return os.getpid()\n"
    (found,) = run(text, text)
    assert found.changed == ("value",)


def test_algorithms_are_deterministic_before_the_text_runs() -> None:
    text = (
        "import torch\nstate = torch.are_deterministic_algorithms_enabled(), torch.initial_seed()\ndef program(device):\n    return state\n"
    )
    (found,) = run(text, text.replace("state\n", "(True, 20240229)\n"))
    assert (found.verdict, found.reason) == (Verdict.PROVEN, "")


@pytest.mark.parametrize(
    ("death", "reason"),
    [
        ("import os; os._exit(3)", "the fixed program: its process ended with status 3: "),
        ("raise SystemExit(0)", "the fixed program: its process ended with status 0: "),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the fixed program: its process ended with status -9: "),
    ],
)
def test_a_process_that_dies_is_a_failure(death: str, reason: str) -> None:
    (found,) = run("def program(device):\n    return 1\n", f"def program(device):\n    {death}\n    return 1\n")
    assert found.verdict is Verdict.FAILED
    assert found.reason.startswith(reason)


def test_a_program_that_hangs_is_ended() -> None:
    text = "def program(device):\n    while True: pass\n"
    job = {"text": text, "function": "program", "device": "cpu", "example": False, "measure": (), "steps": (1, 2)}
    with pytest.raises(ChildFailedError, match="still running after 3 seconds"):
        execute(job, time_limit=3)


def test_a_text_that_cannot_be_imported_is_a_failure_with_the_reason() -> None:
    text = "def program(device):\n    return 1\n"
    (found,) = run(text, "import no_such_module\n" + text)
    assert found.reason == "the fixed program raised ModuleNotFoundError: No module named 'no_such_module'"


def test_a_device_that_a_scenario_is_not_for_is_skipped_and_not_run() -> None:
    text = "DEVICES = ('cuda',)\ndef program(device):\n    raise SystemError\n"
    (found,) = run(text, text, "cpu")
    assert (found.verdict, found.reason) == (Verdict.SKIPPED, "the scenario is for cuda")


def test_the_machine_names_what_it_has_and_why_it_lacks_the_rest() -> None:
    machine = trials.machine()
    assert "cpu" in machine.present
    assert machine.present.keys() | machine.absent.keys() == {"cpu", "cuda", "mps"}
    assert all(machine.absent.values())


def test_the_parent_never_imports_torch() -> None:
    code = (
        "import sys\n"
        "from torchlint.sanity import prove, report, trials\n"
        "trials.machine()\n"
        "assert 'torch' not in sys.modules and 'rich' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

"""Programs run as processes of their own: isolated, repeatable, and judged also when they die."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from torchlint.edits import Applicability, Effect
from torchlint.sanity import processes, trials
from torchlint.sanity.processes import ChildFailedError, execute
from torchlint.sanity.scenario import parse
from torchlint.sanity.verdict import Outcome, Trial, Verdict


def run(original: str, fixed: str, *devices: str) -> list[Outcome]:
    trial = Trial("TL999", "some-rule", Effect.KEEPS, parse(original), fixed)
    return list(trials.run([trial], devices or ("cpu",), workers=2))


def alone(text: str, time_limit: float = 60) -> dict[str, Any]:
    job = {"text": text, "function": "program", "device": "cpu", "example": False, "measure": False, "steps": (1, 2)}
    return execute(job, time_limit=time_limit)


def test_two_processes_draw_the_same_numbers_and_hash_alike() -> None:
    text = "import random, torch\ndef program(device):\n    return [torch.rand(3), random.random(), hash('text'), list({'a', 'b', 'c'})]\n"
    (found,) = run(text, text)
    assert (found.verdict, found.reason) == (Verdict.PROVEN, "")


def test_a_program_has_a_process_of_its_own_that_is_deterministic_before_the_text_runs() -> None:
    text = "import os, torch\nstate = [os.getpid(), torch.are_deterministic_algorithms_enabled()]\ndef program(device):\n    return state\n"
    process, deterministic = (node["values"][0] for _, node in alone(text)["result"]["items"])
    assert process != os.getpid()
    assert deterministic is True


@pytest.mark.parametrize(
    ("death", "reason"),
    [
        ("import os; os._exit(3)", "its process ended with status 3: "),
        ("raise SystemExit('enough')", "its process ended with status 1: enough"),
        ("raise SystemExit(0)", "its process ended with status 0: "),
        ("while True: pass", "it was still running after 4 seconds"),
    ],
)
def test_a_process_that_leaves_no_outcome_says_how_it_ended(death: str, reason: str) -> None:
    with pytest.raises(ChildFailedError) as failed:
        alone(f"def program(device):\n    {death}\n", time_limit=4 if "while" in death else 60)
    assert str(failed.value).startswith(reason)


def test_a_text_that_cannot_be_written_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str, **options: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ChildFailedError, match=r"its text cannot be written below .*: No space left on device"):
        alone("def program(device):\n    return 1\n")


def test_a_process_that_dies_refutes_the_fix() -> None:
    text = "def program(device):\n    return 1\n"
    (found,) = run(text, f"import os\nos._exit(3)\n{text}")
    assert found.verdict is Verdict.FAILED
    assert found.reason.startswith("the fixed program: its process ended with status 3: ")


def test_a_text_that_cannot_be_imported_has_raised() -> None:
    found = alone("import no_such_module\ndef program(device): pass\n")
    assert found["raised"] == "ModuleNotFoundError"
    assert "No module named 'no_such_module'" in found["trace"]


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


def test_programs_on_the_cpu_share_the_process_that_imported_torch_and_others_start_afresh() -> None:
    text = "import os\ndef program(device):\n    return os.getppid()\n"
    parents = {alone(text)["result"]["values"][0] for _ in range(2)}
    assert len(parents) == 1
    assert (os.getpid() in parents) == (sys.platform != "linux")
    assert processes._context("cuda").get_start_method() == processes._context("mps").get_start_method() == "spawn"


def test_a_fresh_process_gives_what_a_forked_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "import torch\nclass Mine:\n    pass\ndef program(device):\n    return [torch.rand(3), hash('text'), ValueError(Mine.__module__)]\n"
    )
    forked = alone(text)
    monkeypatch.setattr(processes, "_context", lambda device: multiprocessing.get_context("spawn"))
    assert alone(text) == forked


def test_starting_a_process_leaves_the_environment_as_it_was() -> None:
    before = dict(os.environ)
    with processes._environment():
        assert os.environ["PYTHONHASHSEED"] == "0"
    assert dict(os.environ) == before


def test_a_program_on_the_cpu_asks_nothing_of_other_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from torchlint.sanity import observe

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [torch.random.get_rng_state()])
    assert not any(name.startswith("cuda") for name in observe.generators("cpu"))
    assert "cuda:0" in observe.generators("cuda")


@pytest.mark.parametrize(("written", "verdict"), [("torch.ones(2).sum()", Verdict.REFERENCE_ONLY), ("torch.ones(3).sum()", Verdict.FAILED)])
def test_a_reference_that_stands_for_a_shown_fix_proves_no_more_than_itself(written: str, verdict: Verdict) -> None:
    text = f"import torch\ndef program(device):\n    return torch.tensor(2.0)\ndef reference(device):\n    return {written}\n"
    trial = Trial("TL999", "some-rule", Effect.KEEPS, parse(text), None, Applicability.DISPLAY)
    (found,) = trials.run([trial], ["cpu"], workers=1)
    assert found.verdict is verdict


def test_trials_that_share_a_program_share_its_run(tmp_path: Path) -> None:
    text = f"def program(device):\n    with open({str(tmp_path / 'runs')!r}, 'a') as runs:\n        runs.write('x')\n"
    scenario = parse(text)
    list(trials.run([Trial("TL999", "some-rule", Effect.KEEPS, scenario, text)] * 3, ["cpu"], workers=2))
    assert (tmp_path / "runs").read_text() == "x"

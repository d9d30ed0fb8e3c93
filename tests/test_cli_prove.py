"""`check --prove`: fixes whose rules are not proven on this machine are refused, and said to be."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli_cases import SAFE, SAFE_FIXED, UNSAFE, UNSAFE_FIXED, read, write
from commands import Torchlint

from torchlint.cli import _proof
from torchlint.edits import Applicability
from torchlint.rule import DISPLAY, Rule
from torchlint.rule import SAFE as SAFE_FIX
from torchlint.rule import UNSAFE as UNSAFE_FIX
from torchlint.run.one import Mode, Task
from torchlint.sanity import prove, trials
from torchlint.sanity.verdict import Outcome, Verdict
from torchlint.selection import named
from torchlint.settings import Settings

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="runs torch")
LATE = "import torch\n\n\ndef read(model, x):\n    return model(x.cuda()).to('cpu', non_blocking=True).numpy()\n"
"""Its fix can be proven on a GPU only."""


class Proofs:
    """Stand for the runs of scenarios: these rules fail, and what was asked is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **failing: str) -> None:
        self.asked: list[dict[str, str]] = []
        self._failing = failing
        monkeypatch.setattr(_proof, "proofs", lambda jobs: self.run)
        monkeypatch.setattr(_proof, "check_torch", lambda: None)

    def run(self, wanted: Mapping[Rule, Applicability]) -> dict[str, str | None]:
        self.asked.append({rule.code: grade.label for rule, grade in wanted.items()})
        return {rule.code: self._failing.get(rule.code) for rule in wanted}


@needs_torch
def test_only_what_running_the_scenarios_proves_is_fixed(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "machine", lambda: trials.Machine("2.13", {"cpu": "CPU"}, {"cuda": "there is no GPU"}))
    write("a.py", SAFE)
    write("late.py", LATE)
    result = torchlint("check", "--fix", "--unsafe-fixes", "--prove", "--output-format", "concise")

    assert (read("a.py"), read("late.py")) == (SAFE_FIXED, LATE)
    assert result.err == "torchlint: TL410: not proven here: the scenario is for cuda\n"
    assert result.status == 1
    assert "late.py:5:12: TL410" in result.out


def test_rules_are_proven_once_and_only_those_that_would_fix_something(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    proofs = Proofs(monkeypatch)
    for name in ("a.py", "b.py"):
        write(name, SAFE)
    write("shown.py", UNSAFE)
    result = torchlint("check", "--fix-only", "--prove")

    assert (result.status, result.err, proofs.asked) == (0, "", [{"TL401": "safe"}])
    assert (read("a.py"), read("b.py"), read("shown.py")) == (SAFE_FIXED, SAFE_FIXED, UNSAFE)


def test_unsafe_fixes_are_proven_as_such(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    proofs = Proofs(monkeypatch)
    write("a.py", UNSAFE)
    torchlint("check", "--fix", "--unsafe-fixes", "--prove")

    assert (proofs.asked, read("a.py")) == ([{"TL401": "unsafe"}], UNSAFE_FIXED)


def test_fixes_that_settings_call_safe_are_proven_as_what_they_are(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    proofs = Proofs(monkeypatch)
    write("torchlint.toml", 'extend-safe-fixes = ["TL401"]\n')
    write("a.py", UNSAFE)
    torchlint("check", "--fix", "--prove")

    assert (proofs.asked, read("a.py")) == ([{"TL401": "unsafe"}], UNSAFE_FIXED)


def test_refused_fixes_are_not_in_the_diff(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    Proofs(monkeypatch, TL401="it went wrong")
    write("a.py", SAFE)
    result = torchlint("check", "--diff", "--prove")

    assert (result.status, result.out, read("a.py")) == (0, "", SAFE)
    assert result.err.startswith("torchlint: TL401: not proven here: it went wrong\n")


def test_what_takes_the_place_of_a_refused_fix_is_proven_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    proofs = Proofs(monkeypatch, TL401="it went wrong")
    rounds = iter([{"TL401"}, {"TL402"}])
    monkeypatch.setattr(_proof, "_applied", lambda work, task, jobs: next(rounds))
    task = Task(Mode.FIX, Applicability.SAFE, ())
    [(_, settings, _)] = _proof.proven([(Path("a.py"), Settings(unfixable=("TL1",)), 1)], task, 1, proofs.run)

    assert [list(asked) for asked in proofs.asked] == [["TL401"], ["TL402"]]
    assert settings.unfixable == ("TL1", "TL401")


@pytest.mark.parametrize("arguments", [(), ("--fix", "-"), ("--fix", "--stdin-filename", "a.py")])
def test_proof_goes_with_fixing_files(torchlint: Torchlint, arguments: tuple[str, ...]) -> None:
    result = torchlint("check", "--prove", *arguments)

    assert result.status == 2
    assert "--prove goes with --fix, --fix-only or --diff, and not with standard input" in result.err


def test_proof_without_torch_says_how_to_get_it(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    write("a.py", SAFE)
    result = torchlint("check", "--fix", "--prove")

    assert (result.status, read("a.py")) == (2, SAFE)
    assert 'pip install "torchlint[sanity]"' in result.err


def outcome(verdict: Verdict, device: str = "cpu", grade: Applicability = SAFE_FIX, reason: str = "") -> Outcome:
    return Outcome("TL101", "one", device, verdict, reason, grade=grade)


@pytest.mark.parametrize(
    ("outcomes", "objection"),
    [
        ([outcome(Verdict.PROVEN)], None),
        ([outcome(Verdict.PROVEN), outcome(Verdict.SKIPPED, "cuda", reason="the scenario is for cpu")], None),
        ([outcome(Verdict.PROVEN), outcome(Verdict.FAILED, "cuda", reason="it differs")], "it differs (on cuda)"),
        ([outcome(Verdict.FAILED, "", reason="it has no scenario")], "it has no scenario"),
        (
            [outcome(Verdict.PROVEN), outcome(Verdict.SKIPPED, grade=UNSAFE_FIX, reason="the scenario is for cuda")],
            "the scenario is for cuda",
        ),
        ([outcome(Verdict.REFERENCE_ONLY, grade=DISPLAY)], "only programs written by hand were compared"),
        ([], "it has no scenario for these fixes"),
    ],
)
def test_rule_is_proven_where_each_grade_passes_somewhere_and_fails_nowhere(outcomes: list[Outcome], objection: str | None) -> None:
    assert prove.objection(outcomes) == objection


@needs_torch
def test_safe_fixes_alone_need_no_proof_of_the_unsafe_ones() -> None:
    machine = trials.Machine("2.13", {"cpu": "CPU"}, {})
    found = list(prove.rules(named("TL102"), machine, ["cpu"], mutants=False, workers=1, least={"TL102": SAFE_FIX}))

    assert [(each.grade, each.verdict) for each in found] == [(SAFE_FIX, Verdict.PROVEN)]

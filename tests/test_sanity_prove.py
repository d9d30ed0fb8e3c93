"""The proof of every rule, as a user runs it, and what is said of a rule that cannot be proven."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from torchlint.cli import torchlint
from torchlint.engine import Fixed
from torchlint.rule import DISPLAY, Rule, load_rules
from torchlint.sanity import prove, report, trials
from torchlint.sanity.compare import Difference
from torchlint.sanity.scenario import ScenarioError
from torchlint.sanity.verdict import Outcome, Verdict

FIXABLE = [rule for rule in load_rules() if rule.fix is not None]
TOTAL = next(rule for rule in FIXABLE if rule.code == "TL102")
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="runs torch")


@cache
def proofs() -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "torchlint", "sanity", "--output-format", "json"], capture_output=True, text=True, check=False
    )
    return done.returncode, json.loads(done.stdout)


@needs_torch
@pytest.mark.parametrize("rule", FIXABLE, ids=lambda rule: rule.code)
def test_the_real_fix_is_proven_on_the_cpu(rule: Rule) -> None:
    (found,) = [each for each in proofs()[1]["results"] if (each["code"], each["device"]) == (rule.code, "cpu")]
    assert (found["verdict"], found["reason"], found["differences"]) == ("proven", None, [])
    assert rule.effect is None or found["effect"] == rule.effect.value


@needs_torch
def test_the_status_says_whether_a_proof_failed_and_absent_devices_are_skipped() -> None:
    status, found = proofs()
    assert status == 0
    assert found["failed"] == 0
    machine = trials.machine()
    on_absent = {each["verdict"] for each in found["results"] if each["device"] in machine.absent}
    assert on_absent == ({"skipped"} if machine.absent else set())
    assert len(found["results"]) == len(FIXABLE) * 3 == found["proven"] + found["skipped"]


@needs_torch
@pytest.mark.parametrize(
    ("code", "cost"), [("TL101", "nodes"), ("TL102", "nodes"), ("TL102", "bytes"), ("TL401", "copies"), ("TL402", "waits")]
)
def test_what_the_rule_is_about_falls_to_nothing(code: str, cost: str) -> None:
    (found,) = [each for each in proofs()[1]["results"] if (each["code"], each["device"]) == (code, "cpu")]
    assert found["costs"][cost]["before"] > 0
    assert found["costs"][cost]["after"] == 0


MISTAKE = """
import torch
from torch import nn


def program(device, steps=3):
    model = nn.Linear(2, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    total = 0.0
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(torch.ones(4, 2, device=device)).pow(2).mean()
        loss.backward()
        optimizer.step()
        total += loss
    return {"model": model, "total": float(total)}
"""


def prepared(rule: Rule, tmp_path: Path, text: str) -> Any:
    path = tmp_path / "scenario.py"
    path.write_text(text, encoding="utf-8")
    return prove.prepare(rule, path)


def test_the_fixed_text_is_what_the_real_fixer_writes(tmp_path: Path) -> None:
    assert prepared(TOTAL, tmp_path, MISTAKE).fixed == MISTAKE.replace("total += loss", "total += loss.detach()")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (MISTAKE.replace("total += loss", "total += loss.item()"), "the linter finds nothing in the scenario"),
        (MISTAKE.replace("total += loss", "total += loss  # noqa: TL102"), "the linter finds nothing in the scenario"),
        (MISTAKE.replace("def program", "def reference"), "it has no function program"),
        (MISTAKE + MISTAKE.replace("program", "reference"), "line 31: the linter finds the mistake in the reference too"),
        (MISTAKE + "\ndef reference(device): pass\n", "the fix keeps the program, so nothing compares it with reference"),
    ],
)
def test_a_scenario_that_leaves_nothing_to_prove_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        prepared(TOTAL, tmp_path, text)
    assert str(refused.value).startswith(reason)


def test_a_missing_scenario_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="it has no scenario"):
        prove.prepare(TOTAL, tmp_path / "scenario.py")


@pytest.mark.parametrize(
    ("rule", "fixed", "reason"),
    [
        (TOTAL, MISTAKE, "the fixer changes nothing"),
        (replace(TOTAL, fix=DISPLAY), MISTAKE.replace("+= loss", "+= 1"), "the fix is to be shown only, and was applied"),
        (TOTAL, MISTAKE.replace("        optimizer.zero_grad()\n", "").replace("+= loss", "+= 1"), "the fix brings new findings: TL201"),
    ],
)
def test_a_fixer_that_misbehaves_is_refused(rule: Rule, fixed: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "fix", lambda text, *args, **kwargs: Fixed(fixed, (), ()))
    with pytest.raises(ScenarioError) as refused:
        prepared(rule, tmp_path, MISTAKE)
    assert str(refused.value) == reason


def test_a_fix_that_leaves_findings_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = prove.lint(MISTAKE)
    monkeypatch.setattr(prove, "fix", lambda text, *args, **kwargs: Fixed(text + "\n", (), tuple(left)))
    with pytest.raises(ScenarioError, match="line 15 of the fixed text: still `total` keeps"):
        prepared(TOTAL, tmp_path, MISTAKE)


@needs_torch
def test_a_wrong_fixer_fails_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(text: str, *args: Any, **kwargs: Any) -> Fixed:
        return Fixed(text.replace("running += loss", "running += 2 * loss.detach()"), (), ())

    monkeypatch.setattr(prove, "fix", wrong)
    result = CliRunner().invoke(torchlint, ["sanity", "TL102", "--device", "cpu"], standalone_mode=False)
    assert result.return_value == 1
    assert "TL102 on cpu failed: the fix changes the program: value of result[running]: " in result.output
    assert "0 proven, 1 failed, 0 skipped" in result.output


@needs_torch
def test_a_device_that_is_not_there_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = trials.Machine("2.0", {"cpu": "CPU"}, {"cuda": "there is no GPU", "mps": "there is no Metal"})
    monkeypatch.setattr(trials, "machine", lambda: machine)
    result = CliRunner().invoke(torchlint, ["sanity", "TL102", "TL201", "--device", "cuda"], standalone_mode=False)
    assert result.return_value == 0
    assert "2 rules  cuda    skipped" in result.output
    assert "cuda skipped for 2 rules: there is no GPU\n0 proven, 0 failed, 2 skipped" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["TL999"], "no rule is called `TL999`; the nearest is `TL"),
        (["missing-zero-grat"], "no rule is called `missing-zero-grat`; the nearest is `missing-zero-grad`"),
        (["TL000"], "none of these rules has a fix to prove"),
        (["--device", "tpu"], "'tpu' is not one of 'cpu', 'cuda', 'mps', 'all'"),
    ],
)
def test_wrong_usage_is_told_with_status_two(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(torchlint, ["sanity", *arguments])
    assert result.exit_code == 2
    assert message in result.output


def test_without_torch_the_command_says_how_to_get_it() -> None:
    done = subprocess.run([sys.executable, "-c", _WITHOUT_TORCH], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert 'pip install "torchlint[sanity]"' in done.stderr


_WITHOUT_TORCH = """
import importlib.util, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "torch" else real(name, *rest)
sys.argv = ["torchlint", "sanity"]
from torchlint.cli import main
main()
"""

OUTCOMES = [
    Outcome(
        "TL101", "one", "cpu", Verdict.PROVEN, largest=0.0, costs={"bytes": (2048.0, 12.0), "waits": (1.0, 1.0), "seconds": (2.0, 1.0)}
    ),
    Outcome("TL102", "two", "cpu", Verdict.FAILED, "it went wrong", differences=(Difference("value", "result", "1", "2", float("inf")),)),
    Outcome("TL103", "three", "", Verdict.FAILED, "it has no scenario"),
    Outcome("TL101", "one", "mps", Verdict.SKIPPED, "the scenario is for cpu"),
    Outcome("TL102", "two", "mps", Verdict.PROVEN, largest=1.5e-7),
]


def test_the_table_has_a_row_for_each_verdict_and_a_reason_for_each_failure() -> None:
    assert report.as_text(OUTCOMES).splitlines() == [
        "rule         device  verdict  largest difference  measured per step",
        "-----------  ------  -------  ------------------  ---------------------------",
        "TL101 one    cpu     proven   0                   2.0 KiB -> 12 B, time x0.50",
        "TL102 two    cpu     failed",
        "TL103 three          failed",
        "TL101 one    mps     skipped",
        "TL102 two    mps     proven   1.5e-07",
        "",
        "TL102 on cpu failed: it went wrong",
        "TL103 failed: it has no scenario",
        "mps skipped for TL101: the scenario is for cpu",
        "2 proven, 2 failed, 1 skipped",
    ]


def test_the_json_is_valid_without_infinities() -> None:
    found = json.loads(report.as_json(OUTCOMES, "2.13"), parse_constant=pytest.fail)
    assert (found["torch"], found["proven"], found["failed"], found["skipped"]) == ("2.13", 2, 2, 1)
    assert found["results"][1]["differences"] == [{"aspect": "value", "where": "result", "before": "1", "after": "2", "size": "inf"}]
    assert found["results"][2]["device"] is None


def test_colour_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    report.show(OUTCOMES)
    shown = capsys.readouterr().out
    assert "\x1b[" in shown
    assert "TL102 on cpu failed: it went wrong" in shown

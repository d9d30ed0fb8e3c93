"""The proof of every rule, as a user runs it, and what is said of a rule that cannot be proven."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from torchlint import rulebook
from torchlint.cli import torchlint
from torchlint.edits import Effect
from torchlint.engine import Fixed
from torchlint.rule import DISPLAY, SAFE, UNSAFE, Rule, load_rules
from torchlint.sanity import prove, report, trials
from torchlint.sanity.compare import Difference
from torchlint.sanity.scenario import ScenarioError, parse, read
from torchlint.sanity.verdict import Outcome, Trial, Verdict

ROOT = Path(__file__).parents[1]
FIXABLE = [rule for rule in load_rules() if rule.fix is not None]
NOT_ON_THE_CPU = {"TL410"}
"""Mistakes that a CPU cannot show: it has nothing that arrives later."""
ON_THE_CPU = [rule for rule in FIXABLE if rule.code not in NOT_ON_THE_CPU]
PARALLEL = next(rule for rule in FIXABLE if rule.code == "TL701")
TOTAL = next(rule for rule in FIXABLE if rule.code == "TL102")
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="runs torch")


@cache
def proofs(*options: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "torchlint", "sanity", "--output-format", "json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def on_the_cpu(code: str, *options: str) -> list[dict[str, Any]]:
    return [each for each in proofs(*options)[1]["results"] if (each["code"], each["device"]) == (code, "cpu")]


@needs_torch
@pytest.mark.parametrize("rule", ON_THE_CPU, ids=lambda rule: rule.code)
def test_the_real_fix_is_proven_on_the_cpu(rule: Rule) -> None:
    found = on_the_cpu(rule.code)
    assert [(each["verdict"], each["reason"], each["differences"]) for each in found] == [("proven", None, [])] * len(found)
    assert {each["effect"] for each in found} == {rule.effect.value if rule.effect else "keeps"}


@needs_torch
@pytest.mark.parametrize("rule", FIXABLE, ids=lambda rule: rule.code)
def test_safe_fixes_are_proven_apart_from_unsafe_ones(rule: Rule) -> None:
    assert rule.fix is not None
    grades = [each["fixes"] for each in on_the_cpu(rule.code)]
    if rule.fix is SAFE:  # a rule that lowers none of its fixes has no others
        assert grades in ([["safe", "unsafe"]] if _lowers(rule) else [["safe"], ["safe", "unsafe"]])
    else:
        assert grades == [rule.fix.label]


def _lowers(rule: Rule) -> bool:
    """Whether a rule says of some of its fixes that they are unsafe: in its own file, or where a function that it calls makes the fix."""
    folder = ROOT / "torchlint" / "rules" / rule.family
    nodes = list(ast.walk(ast.parse((folder / f"{rule.stem}.py").read_text(encoding="utf-8"))))
    beside = f"torchlint.rules.{rule.family}._"
    for node in [each for each in nodes if isinstance(each, ast.ImportFrom) and each.module is not None and each.module.startswith(beside)]:
        names = {alias.name for alias in node.names}
        other = ast.parse((folder / f"{(node.module or '').rpartition('.')[2]}.py").read_text(encoding="utf-8"))
        for part in other.body:
            if isinstance(part, ast.FunctionDef | ast.ClassDef) and part.name in names:
                nodes += ast.walk(part)
    return any(isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "at_most" for node in nodes)


def test_a_lowered_fix_is_seen_however_the_rule_writes_it() -> None:
    lowering = {rule.code for rule in FIXABLE if rule.fix is SAFE and _lowers(rule)}
    assert lowering >= {"TL102", "TL201", "TL305", "TL401"}, "written alone, by its condition, by a variable, in a file beside the rule"
    assert lowering.isdisjoint({"TL306", "TL310"})


@needs_torch
@pytest.mark.parametrize("code", sorted(NOT_ON_THE_CPU))
def test_what_a_cpu_cannot_show_is_prepared_and_skipped_there(code: str) -> None:
    fixes, wrong = on_the_cpu(code), on_the_cpu(code, "--mutants", "--device", "cpu")
    assert {(each["verdict"], each["reason"]) for each in (*fixes, *wrong)} == {("skipped", "the scenario is for cuda")}
    assert len(fixes) >= 1 and len(wrong) >= 3


@needs_torch
@pytest.mark.parametrize("rule", ON_THE_CPU, ids=lambda rule: rule.code)
def test_every_wrong_fix_is_refuted(rule: Rule) -> None:
    found = on_the_cpu(rule.code, "--mutants", "--device", "cpu")
    assert [each["mutant"] for each in found if each["verdict"] != "refuted"] == []
    assert len(found) >= 3
    assert all(each["reason"] for each in found)
    # What a mutant makes of names that are not there shows nothing about the proof. TL701's are names that a text could get wrong.
    assert [each["mutant"] for each in found if "NameError" in each["reason"] and rule.code != "TL701"] == []


@needs_torch
def test_the_status_says_whether_a_proof_failed_and_absent_devices_are_skipped() -> None:
    status, found = proofs()
    assert status == 0
    assert found["failed"] == 0
    machine = trials.machine()
    assert (found["torch"], found["devices"]) == (machine.torch, machine.present)
    on_absent = {each["verdict"] for each in found["results"] if each["device"] in machine.absent}
    assert on_absent == ({"skipped"} if machine.absent else set())
    assert {each["device_name"] for each in found["results"] if each["device"] == "cpu"} == {"CPU"}
    assert len(found["results"]) == found["proven"] + found["skipped"]
    proven = {each["code"] for each in found["results"] if each["device"] == "cpu" and each["verdict"] == "proven"}
    assert proven == {rule.code for rule in ON_THE_CPU}, "no rule with a fix is left out"


@needs_torch
@pytest.mark.parametrize(
    ("code", "cost"), [("TL101", "nodes"), ("TL102", "nodes"), ("TL102", "bytes"), ("TL401", "copies"), ("TL402", "waits")]
)
def test_what_the_rule_is_about_falls_to_nothing(code: str, cost: str) -> None:
    found = on_the_cpu(code)[-1]
    assert found["costs"][cost]["before"] > 0
    assert found["costs"][cost]["after"] == 0


COSTLY = [rule for rule in ON_THE_CPU if read(rulebook.fixtures(rule) / "scenario.py").costs]


@needs_torch
@pytest.mark.parametrize("rule", COSTLY, ids=lambda rule: rule.code)
def test_page_tells_the_gain_that_is_measured(rule: Rule) -> None:
    proof = re.sub(r"\s+", " ", rulebook.page(rule).split("## Proof")[1].split("\n## ")[0])
    promised = read(rulebook.fixtures(rule) / "scenario.py").costs
    measured = [(name, each["costs"][name]) for each in on_the_cpu(rule.code) for name in promised]
    figures = {
        report.size(value) if name in ("bytes", "written") else f"{value:g}"
        for name, cost in measured
        if cost["before"] != cost["after"]
        for value in cost.values()
        if value
    }

    assert figures
    assert [each for each in sorted(figures) if not re.search(rf"(?<![\d.]){re.escape(each)}(?![\d.]*\d)", proof)] == []


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
    (only,) = prepared(TOTAL, tmp_path, MISTAKE)
    assert only.fixed == MISTAKE.replace("total += loss", "total += loss.detach()")
    assert only.grade is SAFE


PENALTY = """        penalty = sum(weight.pow(2).mean() for weight in model.parameters())
        loss = model(torch.ones(4, 2, device=device)).pow(2).mean() + penalty
"""


def test_safe_fixes_make_a_text_of_their_own_where_others_are_unsafe(tmp_path: Path) -> None:
    both = MISTAKE.replace("        loss = model(torch.ones(4, 2, device=device)).pow(2).mean()\n", PENALTY)
    both = both.replace("        total += loss\n", "        total += loss\n        penalties += penalty\n")
    both = both.replace("    total = 0.0\n", "    total = 0.0\n    penalties = 0.0\n")
    safe, unsafe = prepared(TOTAL, tmp_path, both)
    assert (safe.grade, safe.fixed) == (SAFE, both.replace("+= loss\n", "+= loss.detach()\n"))
    assert (unsafe.grade, unsafe.fixed) == (UNSAFE, safe.fixed.replace("+= penalty\n", "+= penalty.detach()\n"))
    with pytest.raises(ScenarioError, match="none of the fixes in it is unsafe, so UNSAFE_CHANGES mean nothing"):
        prepared(TOTAL, tmp_path, "UNSAFE_CHANGES = {'result': ('value',)}\n" + MISTAKE)


def test_a_fix_that_is_shown_is_run_unless_a_reference_stands_for_it(tmp_path: Path) -> None:
    text = (
        "import torch\nfrom torch import nn\n\n\ndef program(device):\n    model = nn.DataParallel(nn.Linear(2, 2).to(device))\n"
        "    model(torch.ones(4, 2, device=device)).sum().backward()\n    return model\n"
    )
    (shown,) = prepared(PARALLEL, tmp_path, text)
    assert shown.grade is DISPLAY
    assert "DistributedDataParallel(nn.Linear(2, 2).to(device), device_ids=[local_rank])" in shown.fixed
    (by_reference,) = prepared(PARALLEL, tmp_path, text + "\n\ndef reference(device):\n    return nn.Linear(2, 2)\n")
    assert by_reference.fixed is None


def test_a_mutant_is_made_of_the_text_that_can_go_wrong_that_way(tmp_path: Path) -> None:
    path = tmp_path / "mutants.py"
    trials = prepared(TOTAL, tmp_path, MISTAKE)
    path.write_text("MUTANTS = {'doubles': ('loss.detach()', '2 * loss.detach()')}", encoding="utf-8")
    (mutant,) = prove.mutate(trials, path)
    assert (mutant.mutant, mutant.fixed) == ("doubles", MISTAKE.replace("total += loss", "total += 2 * loss.detach()"))
    path.write_text("MUTANTS = {'nothing': ('loss.item()', 'loss')}", encoding="utf-8")
    with pytest.raises(ScenarioError, match="the mutant `nothing` changes nothing in the fixed text"):
        prove.mutate(trials, path)
    with pytest.raises(ScenarioError, match=r"it has no mutants\.py, so nothing shows that its proof can fail"):
        prove.mutate(trials, tmp_path / "none.py")


@needs_torch
def test_a_mutant_that_nothing_gives_away_survives_and_one_that_is_only_costly_does_not() -> None:
    text = "COSTS = {'bytes': 0}\nimport torch\ndef program(device, steps=2):\n    kept = [torch.ones(9) for _ in range(steps)]\n"
    scenario = parse(text)
    fixed = text.replace("[torch.ones(9) for _ in range(steps)]", "[torch.ones(9) for _ in range(2)]")
    wrong = [Trial("TL999", "some-rule", Effect.KEEPS, scenario, program, mutant="wrong") for program in (fixed, text)]
    survived, refuted = trials.run(wrong, ["cpu"], workers=1)
    assert survived.verdict is Verdict.SURVIVED
    assert (refuted.verdict, refuted.reason) == (Verdict.REFUTED, "the fix leaves 36 bytes per step of 36, and the page promises 0")


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
        (replace(TOTAL, fix=SAFE), MISTAKE, "the fixer changes nothing"),
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
    right = prove.fix

    def wrong(*args: Any, **kwargs: Any) -> Fixed:
        fixed = right(*args, **kwargs)
        return replace(fixed, text=fixed.text.replace("running += loss.detach()", "running += 2 * loss.detach()"))

    monkeypatch.setattr(prove, "fix", wrong)
    result = CliRunner().invoke(torchlint, ["sanity", "TL102", "--device", "cpu"], standalone_mode=False)
    assert result.return_value == 1
    assert "TL102 on cpu failed: the fix changes the program: value of result[float32][0]: " in result.output
    assert "1 proven, 1 failed, 0 skipped" in result.output, "what is returned is fixed on request only"


@needs_torch
def test_a_device_that_is_not_there_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = trials.Machine("2.0", {"cpu": "CPU"}, {"cuda": "there is no GPU", "mps": "there is no Metal"})
    monkeypatch.setattr(trials, "machine", lambda: machine)
    result = CliRunner().invoke(torchlint, ["sanity", "TL701", "TL402", "--device", "cuda"], standalone_mode=False)
    assert str(result.exception) == "nothing could be run here"  # which is no success
    assert isinstance(result.exception, click.ClickException)
    assert re.search(r"2 rules +cuda +skipped", result.output)
    assert "cuda skipped for 2 rules: there is no GPU\n0 proven, 0 failed, 2 skipped" in result.output


@needs_torch
@pytest.mark.parametrize("name", ["tl701", "data-parallel", "data_parallel", "Data-Parallel"])
def test_a_rule_may_be_named_in_any_spelling(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "rules", lambda rules, *_, **__: [replace(OUTCOMES[0], code=rule.code) for rule in rules])
    result = CliRunner().invoke(torchlint, ["sanity", name], standalone_mode=False)
    assert result.return_value == 0
    assert "TL701" in result.output


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
    Outcome("TL101", "one", "cpu", Verdict.PROVEN, grade=SAFE, largest=0.0, costs={"bytes": (2048.0, 12.0), "waits": (1.0, 1.0)}),
    Outcome(
        "TL102",
        "two",
        "cpu",
        Verdict.FAILED,
        "it went wrong",
        grade=UNSAFE,
        differences=(Difference("value", "result", "1", "2", float("inf")),),
    ),
    Outcome("TL103", "three", "", Verdict.FAILED, "it has no scenario"),
    Outcome("TL101", "one", "mps", Verdict.SKIPPED, "the scenario is for cpu", grade=SAFE),
    Outcome("TL102", "two", "mps", Verdict.REFERENCE_ONLY, grade=DISPLAY, largest=1.5e-7),
]


def test_the_table_has_a_row_for_each_verdict_and_a_reason_for_each_failure() -> None:
    assert report.as_text(OUTCOMES).splitlines() == [
        "rule         fixes   device  verdict         largest difference  measured per step",
        "-----------  ------  ------  --------------  ------------------  -----------------",
        "TL101 one    safe    cpu     proven          0                   2.0 KiB -> 12 B",
        "TL102 two    unsafe  cpu     failed",
        "TL103 three                  failed",
        "TL101 one    safe    mps     skipped",
        "TL102 two    shown   mps     reference only  1.5e-07",
        "",
        "TL102 on cpu failed: it went wrong",
        "TL103 failed: it has no scenario",
        "mps skipped for TL101: the scenario is for cpu",
        "1 proven, 1 reference only, 2 failed, 1 skipped",
    ]


def test_a_device_that_no_rule_could_use_takes_one_row_however_many_fixes_it_skipped() -> None:
    skipped = [
        Outcome(code, "", "cuda", Verdict.SKIPPED, "there is no GPU", grade=grade)
        for code in ("TL101", "TL102")
        for grade in (SAFE, UNSAFE)
    ]
    assert report.as_text(skipped).splitlines()[2:] == [
        "2 rules         cuda    skipped",
        "",
        "cuda skipped for 2 rules: there is no GPU",
        "0 proven, 0 failed, 4 skipped",
    ]


def test_one_rule_that_is_skipped_is_named() -> None:
    skipped = [Outcome("TL101", "one", "cuda", Verdict.SKIPPED, "there is no GPU", grade=grade) for grade in (SAFE, UNSAFE)]
    assert [line.split()[:3] for line in report.as_text(skipped).splitlines()[2:4]] == [
        ["TL101", "one", "safe"],
        ["TL101", "one", "unsafe"],
    ]


def test_wrong_fixes_are_told_with_what_gave_them_away() -> None:
    found = [
        Outcome("TL101", "one", "cpu", Verdict.REFUTED, "it is\nslow", mutant="waits"),
        Outcome("TL101", "one", "cpu", Verdict.SURVIVED, mutant="copies"),
    ]
    assert report.any_failed(found)
    assert report.as_text(found).splitlines()[2:] == [
        "TL101 one  waits   cpu     refuted                       it is slow",
        "TL101 one  copies  cpu     survived",
        "",
        "TL101 on cpu called this wrong fix proven: copies",
        "0 proven, 0 failed, 1 refuted, 1 survived, 0 skipped",
    ]


def test_the_json_is_valid_without_infinities() -> None:
    found = json.loads(report.as_json(OUTCOMES, trials.Machine("2.13", {"cpu": "CPU", "mps": "Metal"}, {})), parse_constant=pytest.fail)
    assert (found["torch"], found["proven"], found["reference_only"], found["failed"], found["skipped"]) == ("2.13", 1, 1, 2, 1)
    assert [each["device_name"] for each in found["results"]] == ["CPU", "CPU", None, "Metal", "Metal"]
    assert found["results"][1]["differences"] == [{"aspect": "value", "where": "result", "before": "1", "after": "2", "size": "inf"}]
    assert found["results"][2]["device"] is None


def test_colour_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    report.show(OUTCOMES)
    shown = capsys.readouterr().out
    assert "\x1b[" in shown
    assert "TL102 on cpu failed: it went wrong" in shown

"""The page of proofs: complete in one file, harmless whatever the outcomes say, and filtered by its address."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from test_output_html import CHROMIUM, Page

from torchlint.edits import Applicability, Effect
from torchlint.sanity.compare import Difference
from torchlint.sanity.page import as_html
from torchlint.sanity.scenario import parse
from torchlint.sanity.trials import Machine
from torchlint.sanity.verdict import Outcome, Trial, Verdict, skipped

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE
MACHINE = Machine("2.13", {"cpu": "CPU", "cuda": "NVIDIA H100"}, {"mps": "there is no Metal"})
PROVEN = Outcome(
    *("TL102", "graph-kept-in-total", "cpu", Verdict.PROVEN),
    effect=Effect.KEEPS,
    grade=SAFE,
    largest=2.5e-7,
    changed=("is_leaf", "requires_grad"),
    costs={"bytes": (4096.0, 1024.0), "nodes": (48.0, 0.0), "waits": (0.0, 0.0)},
    patch=("@@ -3 +3 @@", "-    total += loss", "+    total += loss.detach()"),
)
FAILED = Outcome(
    *("TL101", "graph-kept-in-container", "cuda", Verdict.FAILED, "it went wrong"),
    effect=Effect.KEEPS,
    grade=UNSAFE,
    differences=(Difference("value", "result", "1", "2", float("inf")),),
)
SKIPPED = Outcome("TL102", "graph-kept-in-total", "mps", Verdict.SKIPPED, "there is no Metal", grade=SAFE)
OUTCOMES = [FAILED, PROVEN, SKIPPED]


def cells(text: str) -> list[list[str]]:
    """The rows of the table."""
    body = re.search(r"<tbody>(.*?)</tbody>", text, re.DOTALL)
    assert body is not None
    rows = re.findall(r"<tr .*?</tr>", body[1], re.DOTALL)
    return [[re.sub(r"<[^>]*>", "", each) for each in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_table_has_a_row_for_each_grade_and_a_column_for_each_device() -> None:
    unsafe = replace(PROVEN, grade=UNSAFE, costs={"waits": (3.0, 1.0)}, largest=0.0)

    assert cells(as_html([*OUTCOMES, unsafe], MACHINE)) == [
        ["TL101 graph-kept-in-container", "unsafe", "failed", "", "", "", ""],
        ["TL102 graph-kept-in-total", "safe", "", "proven", "skipped", "2.5e-07", "4.0 KiB -&gt; 1.0 KiB, 48 -&gt; 0 graph nodes"],
        ["TL102 graph-kept-in-total", "unsafe", "", "proven", "", "0", "3 -&gt; 1 waits"],
    ]


def test_wrong_fixes_are_listed_by_what_is_wrong() -> None:
    wrong = [replace(PROVEN, verdict=Verdict.REFUTED, mutant=name, reason=f"because of {name}") for name in ("clones", "halves")]

    assert [row[1:3] + row[-1:] for row in cells(as_html(wrong, MACHINE))] == [
        ["clones", "refuted", "because of clones"],
        ["halves", "refuted", "because of halves"],
    ]


def test_details_show_reasons_differences_and_the_change_of_the_program() -> None:
    text = Page(as_html(OUTCOMES, MACHINE)).text

    for part in (
        "unsafe on cuda: failed",
        "it went wrong",
        "value of result: 1 became 2",
        "Shows itself in: is_leaf, requires_grad.",
        "Skipped on mps: there is no Metal.",
        "+    total += loss.detach()",
        "cuda: NVIDIA H100",
        "1 proven, 1 failed, 1 skipped",
    ):
        assert part in text


def test_bars_are_as_long_as_what_was_measured() -> None:
    text = as_html([PROVEN], MACHINE)

    assert re.findall(r'class="(before|after)" width="([\d.]+)"', text) == [
        ("before", "300.0"),
        ("after", "75.0"),
        ("before", "300.0"),
        ("after", "0.0"),
    ], "a cost that is nothing before and after has no bars"


def test_page_loads_nothing() -> None:
    text = as_html(OUTCOMES, MACHINE)

    assert Page(text).loaded == []
    assert not re.search(r"@import|url\(", text)


def test_outcomes_cannot_break_out_of_the_page() -> None:
    evil = '</pre><script>alert(1)</script>"'
    text = as_html([replace(PROVEN, reason=evil, patch=(evil,), mutant=evil), replace(FAILED, name=evil)], MACHINE)

    assert text.count("<script>") == 1


def test_outcome_holds_what_the_fixer_changed() -> None:
    scenario = parse("def program(device):\n    a = 1\n    b = 2\n    c = 3\n    d = 4\n    return a\n")
    trial = Trial("TL999", "some-rule", Effect.KEEPS, scenario, scenario.text.replace("b = 2", "b = 5"))

    assert skipped(trial, "cpu", "").patch == ("@@ -2,3 +2,3 @@", "     a = 1", "-    b = 2", "+    b = 5", "     c = 3")


def test_missing_extra_is_named_before_anything_is_run() -> None:
    hidden = "import sys; sys.modules['jinja2'] = None; sys.modules['torchlint.sanity.prove'] = None"
    call = "sys.argv = ['torchlint', 'sanity', 'TL102', '--output-format', 'html']; from torchlint.__main__ import main; main()"
    torch = (
        "import importlib.util as u; find = u.find_spec; u.find_spec = lambda name, *rest: name if name == 'torch' else find(name, *rest)"
    )
    result = subprocess.run([sys.executable, "-c", f"{hidden}; {torch}; {call}"], capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout) == (2, "")
    assert 'pip install "torchlint[report]"' in result.stderr and "Traceback" not in result.stderr


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize(
    ("address", "visible"),
    [("", ["TL101", "TL102"]), ("#rule=TL102", ["TL102"]), ("#verdict=skipped", ["TL102"]), ("#verdict=failed&text=NO+METAL", [])],
)
def test_address_filters_rules_and_rows_in_a_browser(tmp_path: Path, address: str, visible: list[str]) -> None:
    (tmp_path / "page.html").write_text(as_html(OUTCOMES, MACHINE), encoding="utf-8")
    quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    options = ["--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    address = (tmp_path / "page.html").as_uri() + address
    result = subprocess.run([str(CHROMIUM), *options, address], capture_output=True, text=True, timeout=120, check=False)
    found = Page(result.stdout)

    assert [code for code, hidden in found.articles if not hidden] == visible
    assert f"{len(visible)} of 2 shown" in found.text
    if "text" not in address:
        assert re.findall(r'<tr data-rule="(TL\d+)" data-verdict="[^"]*">', result.stdout) == visible

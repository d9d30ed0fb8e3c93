"""The page of a run: complete in one file, harmless whatever the program is called, drawn from what was recorded, and filtered."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import Torchlint
from test_output_html import CHROMIUM, Page

from torchlint.diagnostic import Diagnostic
from torchlint.engine import lint
from torchlint.sanity.own.align import PARAMETERS, Difference
from torchlint.sanity.own.chart import Line, chart
from torchlint.sanity.own.decide import Outcome, Verdict
from torchlint.sanity.own.judge import Judged, State, judged
from torchlint.sanity.own.launch import Program
from torchlint.sanity.own.page import as_html
from torchlint.sanity.own.record import STEP, Key, Record
from torchlint.sanity.own.report import as_json
from torchlint.sanity.own.signals import INFINITE, Signal
from torchlint.sanity.own.texts import Found
from torchlint.settings import Settings

TEXT = """
def train(model, loader, optimizer):
    total = 0
    for x, y in loader:
        loss = (model(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        total += loss
    return total.item()
"""


def step(number: int, **facts: Any) -> dict[str, Any]:
    event = {"event": "step", "optimizer": 0, "step": number, "line": "/a.py:7", "backward": ["/a.py:6"], "losses": [[1 / number, number]]}
    return event | {"gradients": {"w": 1}, "parameters": {"w": number}, "kept": 0, "waits": {"/a.py:8": 2}, "random": "r", **facts}


def record(**facts: Any) -> Record:
    events = tuple(step(number, norms={"w": 2.0}, **facts) for number in range(1, 5))
    return Record(events, ("/a.py",), how="stopped", torch="2.13", memory=({"step": 3, "peak": 4096, "kept": 1024, "line": ""},))


def findings() -> list[Diagnostic]:
    found = lint(TEXT, Settings(select=("TL102", "TL201")))
    assert sorted(each.code for each in found) == ["TL102", "TL201"]
    return found


FOUND = [Found(number, "/a.py", each) for number, each in enumerate(findings())]
OUTCOME = Outcome(
    Verdict.UNEXPECTED,
    difference=Difference(PARAMETERS, "w differs", Key(STEP, 0, 2)),
    blamed=(FOUND[0],),
    original=record(),
    fixed=replace(
        record(waits={}),
        events=(*record(waits={}).events[:1], *(step(n, norms={"w": 1.0}, parameters={"w": 9}, waits={}) for n in (2, 3, 4))),
    ),
    findings=(Judged(FOUND[0], State.CONFIRMED, "graphs are kept"), Judged(FOUND[1], State.NOT_REACHED)),
    unseen=(Signal(INFINITE, "the loss of step 3 is not finite", "/a.py:6", ()),),
    fixes=2,
    runs=3,
    texts={"/a.py": TEXT},
)
PROGRAM = Program("train.py", ("--lr", "1"))


def test_the_verdict_comes_first_with_the_difference_and_whose_it_is() -> None:
    text = Page(as_html(OUTCOME, PROGRAM)).text
    order = [
        *(
            "train.py --lr 1",
            "Changed unexpectedly",
            "First difference: step 2, the parameters: w differs",
            f"The fix that makes it: {FOUND[0].diagnostic.code}",
        ),
        *("Memory that a step holds at most", "Values that the host asks for", "Loss", "How far the parameters have drifted apart"),
        *("Parameters differ from step 2 on.", "Seen in the run, and not by the linter", "1 confirmed, 1 not reached"),
        *("graphs are kept", "total += loss"),
    ]
    places = [text.index(each) for each in order]
    assert places == sorted(places)


def test_every_drawing_has_a_name_a_description_and_its_numbers_as_a_table() -> None:
    text = as_html(OUTCOME, PROGRAM)
    drawings = re.findall(r'<svg [^>]*role="img" aria-labelledby="([\w-]+) ([\w-]+)"', text)
    assert len(drawings) == 5
    for name, description in drawings:
        assert text.count(f'id="{name}"') == text.count(f'id="{description}"') == 1
    assert "as it is: from 2 in step 1 to 2 in step 4; fixed: from 0 in step 1 to 0 in step 4" in text
    assert len(re.findall(r"<details><summary>As numbers", text)) == len(drawings)
    assert '<th scope="row">3</th><td>4.0 KiB</td><td>4.0 KiB</td>' in text


def test_what_a_gpu_says_is_drawn_and_told() -> None:
    before, after = (
        record(milliseconds=time, allocated=1 << 20, most_allocated=most, synchronisations={"/a.py:8": waits})
        for time, most, waits in ((12.5, 3 << 20, 4), (8.25, 2 << 20, 1))
    )
    outcome = replace(OUTCOME, verdict=Verdict.IDENTICAL, difference=None, blamed=(), original=before, fixed=after)
    text = Page(as_html(outcome, PROGRAM)).text
    for title in ("Times that the host waits for the GPU", "GPU memory in use after a step", "Milliseconds of a step on the GPU"):
        assert title in text
    for told in (
        "Times that the host waits for the GPU per step: 4.00 before, 1.00 after.",
        "Time of a step on the GPU, in the middle: 12.5 ms before, 8.25 ms after.",
        "GPU memory in use at most: 3.0 MiB before, 2.0 MiB after.",
    ):
        assert told in text
    told = json.loads(as_json(outcome, PROGRAM))["original"]
    assert (told["synchronisations_per_step"], told["milliseconds_per_step"], told["gpu_bytes_most"]) == (4.0, 12.5, 3 << 20)


def test_a_copy_that_the_host_waits_for_confirms_the_findings_about_copies() -> None:
    text = "import torch\n\n\ndef train(model, loader, optimizer):\n    for x in loader:\n        mask = torch.ones(9).to('cuda')\n"
    text += "        optimizer.zero_grad()\n        (model(x) * mask).sum().backward()\n        optimizer.step()\n"
    (found,) = (Found(0, "/a.py", each) for each in lint(text, Settings(select=("TL401",))))
    ran = replace(record(synchronisations={"/a.py:6": 1}), reached={0: (0, 1, 2, 3)})
    assert judged(found, ran, [], text, "cuda").state is State.CONFIRMED
    assert judged(found, record(synchronisations={}), [], text, "cuda").state is State.NOT_REACHED
    assert judged(found, replace(ran, events=record(synchronisations={}).events), [], text, "cuda").state is State.UNDECIDED


def test_parameters_are_listed_by_how_far_they_have_drifted() -> None:
    text = Page(as_html(OUTCOME, PROGRAM)).text
    assert re.search(r"w\s*step 4\s*2\s*1\s*0\.5", text)
    same = as_html(replace(OUTCOME, verdict=Verdict.IDENTICAL, fixed=record()), PROGRAM)
    assert "No parameter differs by a single bit in any of 4 steps." in same
    assert "drifted apart" not in same


def test_a_crash_shows_its_traceback_and_a_program_that_did_nothing_draws_nothing() -> None:
    unexpected = replace(record(), how="crashed", trace="Traceback\nValueError: no\n")
    assert as_html(replace(OUTCOME, fixed=unexpected), PROGRAM).count("ValueError: no") == 1
    crashed = Record((), how="crashed", trace="Traceback\nValueError: no\n")
    text = as_html(Outcome(Verdict.FAILED, "the program crashes by itself", original=crashed), PROGRAM)
    assert "<span>ValueError: no</span>" in text
    assert "The program crashes by itself" in text
    assert "<svg" not in text and "<form" not in text


def test_page_loads_nothing_and_nothing_breaks_out_of_it() -> None:
    evil = '</pre><script>alert(1)</script>"'
    text = as_html(replace(OUTCOME, reason=evil, findings=(Judged(FOUND[0], State.CONFIRMED, evil),)), Program(evil))
    assert Page(text).loaded == []
    assert not re.search(r"@import|url\(", text)
    assert text.count("<script>") == 1


@pytest.mark.parametrize(
    ("values", "is_amount", "base", "marks"),
    [
        ([0, 3, 9], True, 10, ["0", "2", "4", "6", "8", "10"]),
        ([101, 102], False, 10, ["101", "101.2", "101.4", "101.6", "101.8", "102"]),
        ([4096, 5000], True, 2, ["0", "1024", "2048", "3072", "4096", "5120"]),
        ([0.0, 0.0], True, 10, ["0", "0.5", "1"]),
        ([0.0, 0.0], True, 2, ["0", "1"]),
        ([-4, -4], False, 10, ["-6", "-5", "-4", "-3", "-2"]),
    ],
)
def test_axes_have_round_numbers_around_the_values(values: list[float], is_amount: bool, base: float, marks: list[str]) -> None:
    drawn = chart("a", [Line("a", "after", dict(enumerate(values, 1)))], "{:g}".format, is_amount=is_amount, base=base)
    assert drawn is not None
    shown = [mark for _, mark in drawn["down"]]
    assert (shown[0], shown[-1]) == (marks[0], marks[-1])
    assert set(shown) <= {*marks, "0.2", "0.4", "0.6", "0.8"}
    heights = [height for height, _ in drawn["down"]]
    assert heights == sorted(heights, reverse=True)


def test_a_line_has_a_gap_where_a_value_is_no_number_and_many_steps_are_thinned_out_in_the_table() -> None:
    points = {number: float(number) for number in range(1, 201)} | {50: float("nan")}
    drawn = chart("a", [Line("a", "after", points)], "{:g}".format)
    assert drawn is not None
    assert drawn["lines"][0]["path"].count("M") == 2
    assert (len(drawn["rows"]), drawn["thinned"], drawn["lines"][0]["dots"]) == (40, True, [])
    assert chart("a", [Line("a", "after", {1: float("nan")})], "{:g}".format) is None


def test_the_command_writes_the_page(torchlint: Torchlint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    loop = "for _ in range(6):\n    optimizer.zero_grad()\n    model(torch.randn(2, 3)).sum().backward()\n    optimizer.step()\n"
    Path("train.py").write_text(
        f"import torch\nmodel = torch.nn.Linear(3, 1)\noptimizer = torch.optim.SGD(model.parameters(), 0.1)\n{loop}"
    )
    found = torchlint("sanity", "run", "--isolated", "--device", "cpu", "--output-format", "html", "train.py")
    assert found.status == 0
    assert Page(found.out).text.count("Nothing to fix") == 1
    assert '<path class="line before" d="M' in found.out


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize(
    ("address", "visible"),
    [("", ["TL201", "TL102"]), ("#state=confirmed", [FOUND[0].diagnostic.code]), ("#rule=TL102", ["TL102"]), ("#text=NOWHERE", [])],
)
def test_address_filters_findings_in_a_browser(tmp_path: Path, address: str, visible: list[str]) -> None:
    (tmp_path / "page.html").write_text(as_html(OUTCOME, PROGRAM), encoding="utf-8")
    quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    options = ["--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    shown = subprocess.run(
        [str(CHROMIUM), *options, (tmp_path / "page.html").as_uri() + address], capture_output=True, text=True, timeout=120, check=False
    )
    found = Page(shown.stdout)
    assert sorted(code for code, hidden in found.articles if not hidden) == sorted(visible)
    assert f"{len(visible)} of 2 shown" in found.text

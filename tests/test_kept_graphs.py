"""Graphs that are kept: what a safe fix may make of them, what is said about them, and what other files contribute."""

import textwrap
from pathlib import Path

import pytest

from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.program.project import Project
from torchlint.settings import Settings

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
STEP = """
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def loop(kept: str, *, before: str = "kept = []", after: str = "print(sum(kept))", step: str = STEP) -> str:
    """A function that trains a model, with something kept in every step."""
    body = f"    {before}\n    for i, (x, y) in enumerate(loader):{step}        {kept}\n    {after}\n"
    return HEAD + "def train(model: nn.Module, loader, optimizer):\n" + body


def applied(text: str) -> str:
    """The lines that safe fixes change, as they are afterwards."""
    settings = Settings(select=("TL101", "TL102"))
    changed = fix(text, settings, applicability=Applicability.SAFE).text.splitlines()
    return "; ".join(line.strip() for line in changed if line not in text.splitlines())


SAFELY_FIXED = {
    "a list that is measured": (loop("kept.append(loss)"), "kept.append(loss.item())"),
    "a list that is stacked": (loop("kept.append(loss)", after="print(torch.stack(kept))"), "kept.append(loss.detach())"),
    "a list that is returned": (loop("kept.append(loss)", after="return kept"), "kept.append(loss.detach())"),
    "a total": (loop("total += loss", before="total = 0.0", after="return total"), "total += loss.detach()"),
    "a list at the top of the file": (
        textwrap.dedent("\n".join(loop("kept.append(loss)").splitlines()[4:])).join((HEAD + "model = nn.Linear(1, 1)\n", "")),
        "kept.append(loss.detach())",
    ),
    "sums of half precision": (
        loop("kept.append(loss)", before="model, kept = model.to(torch.bfloat16), []"),
        "kept.append(loss.detach())",
    ),
    "variables read by name": (loop("kept.append(loss)", after="print(len(kept), eval('kept[0].shape'))"), "kept.append(loss.detach())"),
}
NOT_SAFELY_FIXED = {
    "a second name for the tensor": loop("kept[i] = again = loss", before="kept = {}", after="print(again, kept)"),
    "an element that is no scalar": loop(
        "kept.append(loss)", step=STEP.replace("model(x), y", "model(x), y, reduction='none'").replace("backward()", "backward(gradient=y)")
    ).replace("print(sum(kept))", "print([each.requires_grad for each in kept])"),
    "whether it requires a gradient": loop("kept.append(loss)", after="print(kept[0].requires_grad)"),
    "which function made it": loop("kept.append(loss)", after="print(kept[0].grad_fn)"),
    "a hook on it": loop("kept.append(loss)", after="kept[-1].register_hook(print)"),
    "which tensor it is": loop("kept.append(loss); last = loss", after="print(kept[-1] is last)"),
    "a number on some days": loop(
        "total += max(loss - 5.0, 0.0)", before="total = 0.0", after="print(total)", step=STEP.replace("\n        optimizer.step()", "")
    ),
    "an entry that may be missing": loop(
        "total += parts.get('loss', 0.0)", before="total = 0.0", after="print(total)", step=STEP + "        parts = {'loss': loss}\n"
    ),
    "a tuple": loop("kept.append((i, loss.chunk(2)))"),
    "a meter of the project": loop("meter.add(loss)", before="meter = Meter()", after="print(meter.total)")
    + "class Meter:\n    def __init__(self):\n        self.total = 0.0\n    def add(self, value):\n        self.total += value\n",
}


@pytest.mark.parametrize(("text", "expected"), SAFELY_FIXED.values(), ids=SAFELY_FIXED)
def test_safe_fix_keeps_what_the_readers_of_a_container_may_want(text: str, expected: str) -> None:
    assert applied(text) == expected


@pytest.mark.parametrize("text", NOT_SAFELY_FIXED.values(), ids=NOT_SAFELY_FIXED)
def test_safe_fix_leaves_alone_what_somebody_may_notice(text: str) -> None:
    assert applied(text) == ""


def test_finding_says_where_backward_ran() -> None:
    text = loop("kept.append(loss)")
    (finding,) = lint(text, Settings(select=("TL101",)))

    assert [(text.splitlines()[each.location.row - 1].strip(), each.message) for each in finding.related] == [
        ("loss.backward()", "backward ran through it here")
    ]


def test_finding_says_which_call_the_graph_comes_from() -> None:
    text = loop("kept.append(out.sum())", step="\n        out = model(x)\n")
    (finding,) = lint(text, Settings(select=("TL101",)))

    assert [each.message for each in finding.related] == ["the graph comes from `model(x)` here"]


def test_finding_at_a_meter_says_what_the_meter_does() -> None:
    (finding,) = lint(NOT_SAFELY_FIXED["a meter of the project"], Settings(select=("TL102",)))

    assert finding.message == "`meter` keeps the autograd graph of every iteration alive: `add` adds to `self.total`"
    assert [each.message for each in finding.related] == ["backward ran through it here", "kept here"]


HELPERS = """
import torch.nn.functional as F

class Meter:
    def __init__(self):
        self.total = 0.0

    def update(self, value, n=1):
        self.total += value * n

def step(model, x, y, optimizer):
    loss = F.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss

def parts(model, x, y, optimizer):
    loss = step(model, x, y, optimizer)
    return {"loss": loss, "value": loss.item()}
"""
FROM_OTHER_FILES = {
    "a total": ("total += step(model, x, y, optimizer)", ["TL102"]),
    "a name": ("loss = step(model, x, y, optimizer); total += loss", ["TL102"]),
    "a dictionary": ("kept.append(parts(model, x, y, optimizer))", ["TL101"]),
    "an entry": ("out = parts(model, x, y, optimizer); total += out['loss']", ["TL102"]),
    "an entry that is a number": ("out = parts(model, x, y, optimizer); total += out['value']", []),
    "a meter": ("meter.update(step(model, x, y, optimizer))", ["TL102"]),
    "a total, by the name of the file": ("total += helpers.step(model, x, y, optimizer)", ["TL102"]),
    "a meter that is given a number": ("meter.update(step(model, x, y, optimizer).item())", []),
}


@pytest.mark.parametrize(("kept", "expected"), FROM_OTHER_FILES.values(), ids=FROM_OTHER_FILES)
def test_what_helpers_of_other_files_return_is_followed(tmp_path: Path, kept: str, expected: list[str]) -> None:
    (tmp_path / "helpers.py").write_text(HELPERS)
    text = "import helpers\nfrom helpers import Meter, parts, step\n" + loop(
        kept, before="total, kept, meter = 0.0, [], Meter()", after="print(total, meter)", step="\n"
    )

    (tmp_path / "main.py").write_text(text)
    found = lint(text, Settings(select=("TL101", "TL102")), path=str(tmp_path / "main.py"), project=Project([tmp_path]))

    assert [each.code for each in found] == expected


@pytest.mark.parametrize("kept", ["meter.update(loss)", "total += step(model, x, y, optimizer)"])
def test_what_a_star_imports_is_followed(tmp_path: Path, kept: str) -> None:
    (tmp_path / "helpers.py").write_text(HELPERS)
    text = "from helpers import *\n" + loop(kept, before="total, meter = 0.0, Meter()", after="print(total, meter)")
    (tmp_path / "main.py").write_text(text)

    found = lint(text, Settings(select=("TL102",)), path=str(tmp_path / "main.py"), project=Project([tmp_path]))

    assert [each.code for each in found] == ["TL102"]


def test_total_that_another_file_differentiates_is_left_to_it() -> None:
    text = HEAD + (
        "total = torch.zeros(())\n"
        "def gather(model: nn.Module, layers):\n"
        "    global total\n"
        "    for x in layers:\n"
        "        total = total + model(x).sum()\n"
    )

    assert lint(text, Settings(select=("TL102",))) == []

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
    "a list of which the mean is returned as a number": (
        loop("kept.append(loss)", after="return torch.stack(kept).mean().item()"),
        "kept.append(loss.detach())",
    ),
    "a total that is printed": (
        loop("total += loss", before="total = 0.0", after="print(f'{total / len(loader):.4f}')"),
        "total += loss.detach()",
    ),
    "a total that is returned as a number": (
        loop("total += loss", before="total = 0.0", after="mean = total / len(loader); return {'loss': mean.item()}"),
        "total += loss.detach()",
    ),
    "a total that is logged": (
        loop("total += loss", before="total = 0.0", after="writer.add_scalar('loss', total / len(loader), 0)"),
        "total += loss.detach()",
    ),
    "entries of a dictionary of totals": (
        loop("totals['loss'] += loss", before="totals = {'loss': 0.0}", after="print({k: float(v) for k, v in totals.items()})"),
        "totals['loss'] += loss.detach()",
    ),
    "a graph that backward was told to free": (
        loop("total += loss", before="total = 0.0", after="print(float(total))", step=STEP.replace("backward()", "backward(None, False)")),
        "total += loss.detach()",
    ),
    "sums of half precision": (
        loop("kept.append(loss)", before="model, kept = model.to(torch.bfloat16), []"),
        "kept.append(loss.detach())",
    ),
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
    "a list that is returned": loop("kept.append(loss)", after="return kept"),
    "a total that is returned": loop("total += loss", before="total = 0.0", after="return total / len(loader)"),
    "a total that a generator yields": loop("total += loss; yield total", before="total = 0.0", after="pass"),
    "a list with a second name": loop("kept.append(loss)", after="mine = kept; return mine"),
    "a list in another one": loop("kept.append(loss)", after="pairs.append((torch.stack, kept))"),
    "a list on an object": loop("kept.append(loss)", after="model.kept = kept"),
    "a list in a lambda": loop("kept.append(loss)", after="return lambda: kept"),
    "a total on an object": loop("model.total += loss", before="model.total = 0.0", after="print(float(model.total))"),
    "a total in a global variable": loop("total += loss", before="global total", after="print(float(total))"),
    "a total that is a key": loop("total += loss", before="total = 0.0", after="seen[total] = 1"),
    "a total that goes to an unknown function": loop("total += loss", before="total = 0.0", after="finish(total)"),
    "a total whose method is called by name": loop("total += loss", before="total = 0.0", after="getattr(total, 'backward')()"),
    "a total that is looked at": loop("total += loss", before="total = 0.0", after="print(getattr(total, 'grad_fn'))"),
    "a total that is differentiated by a map": loop(
        "total += loss", before="total = 0.0", after="list(map(torch.autograd.backward, [total]))"
    ),
    "a total that is matched": loop(
        "total += loss", before="total = 0.0", after="match total:\n        case again:\n            again.backward()"
    ),
    "variables read by name": loop("kept.append(loss)", after="print(len(kept), eval('kept[0].shape'))"),
    "variables read through a frame": loop("total += loss", before="total = 0.0", after="print(float(total))")
    + "def finish():\n    sys._getframe(1).f_locals['total'].backward()\n",
    "a list at the top of the file": textwrap.dedent("\n".join(loop("kept.append(loss)").splitlines()[4:])).join(
        (HEAD + "model = nn.Linear(1, 1)\n", "")
    ),
    "a number where nothing comes next": loop(
        "total += loss",
        before="total = 0.0",
        after="print(float(total))",
        step="\n        loss = next((F.mse_loss(model(x), y) for _ in range(i)), 0.0)\n        if i: loss.backward()\n",
    ),
    "a number where nothing is folded": loop(
        "total += loss",
        before="total = 0.0",
        after="print(float(total))",
        step="\n        loss = functools.reduce(lambda s, k: s + step(model, k), range(i), 0.0)\n        if i: loss.backward()\n",
    ).replace("import torch\n", "import functools\nimport torch\n", 1),
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


ON_AN_OBJECT = {"before": "model.total = 0.0", "after": "print(float(model.total))"}
GRAPH_LEFT = {
    "asked for by place": STEP.replace("backward()", "backward(None, True)"),
    "asked for by name": STEP.replace("backward()", "backward(retain_graph=True)"),
    "asked for on some days": STEP.replace("backward()", "backward(retain_graph=i > 3)"),
    "in what is spread": STEP.replace("backward()", "backward(*args)"),
    "in keywords that are spread": STEP.replace("backward()", "backward(**options)"),
    "for a graph of gradients": STEP.replace("backward()", "backward(None, None, True)"),
    "asked of a function": STEP.replace("loss.backward()", "torch.autograd.backward(loss, None, True)"),
    "asked of a function for gradients": STEP.replace("loss.backward()", "torch.autograd.grad(loss, model.weight, None, True)"),
    "asked for by a helper": STEP.replace("loss.backward()", "back(loss)"),
    "differentiated for one parameter": STEP.replace("backward()", "backward(inputs=[model.weight])"),
}


@pytest.mark.parametrize("step", GRAPH_LEFT.values(), ids=GRAPH_LEFT)
def test_backward_that_leaves_the_graph_proves_no_total_a_record(step: str) -> None:
    helper = "def back(loss, keep=True):\n    loss.backward(retain_graph=keep)\n"
    text = loop("model.total += loss", step=step, **ON_AN_OBJECT) + helper
    freed = loop("model.total += loss", **ON_AN_OBJECT) + helper

    assert [each.code for each in lint(text, Settings(select=("TL102",)))] == []
    assert [each.code for each in lint(freed, Settings(select=("TL102",)))] == ["TL102"]


FED_BACK = {
    "a moving average": ("average", "average = 0.9 * average + 0.1 * loss", "average = torch.zeros(())"),
    "an attribute": ("model.average", "model.average += loss", "model.average = torch.zeros(())"),
    "a list": ("sum(kept)", "kept.append(loss)", "kept = []"),
}


@pytest.mark.parametrize(("read", "kept", "before"), FED_BACK.values(), ids=FED_BACK)
def test_what_enters_the_next_loss_is_left_alone(read: str, kept: str, before: str) -> None:
    step = STEP.replace("model(x), y)", f"model(x), y) + 0.1 * {read}").replace("backward()", "backward(retain_graph=True)")
    seen = STEP.replace("model(x), y)", f"model(x), y) + 0.1 * float({read})")

    settings = Settings(select=("TL101", "TL102"))
    assert lint(loop(kept, before=before, after="pass", step=step), settings) == []
    assert len(lint(loop(kept, before=before, after="pass", step=seen), settings)) == 1


FROZEN = {
    "at once": "model.requires_grad_(False)",
    "in a chain": "model = model.eval().requires_grad_(False)",
    "parameter by parameter": "for p in model.parameters(): p.requires_grad = False",
    "parameter by parameter, by a method": "for p in model.parameters():\n        p.requires_grad_(False)",
    "by name": "for name, p in model.named_parameters(): p.requires_grad = False",
}


@pytest.mark.parametrize("before", FROZEN.values(), ids=FROZEN)
def test_losses_of_a_model_that_is_frozen_have_no_graph(before: str) -> None:
    step = "\n        loss = F.mse_loss(model(x), y)\n"
    text = loop("total += loss", before=f"{before}\n    total = 0.0", after="print(float(total))", step=step)

    assert lint(text, Settings(select=("TL102",))) == []
    again = text.replace("    total = 0.0", "    model.requires_grad_(True)\n    total = 0.0")
    assert [each.code for each in lint(again, Settings(select=("TL102",)))] == ["TL102"]


FOUND = {
    "weighted, before the backward": ("total += loss * len(x); loss.backward()", "total = 0.0", ["TL102"]),
    "weighted on an object, before the backward": ("model.total += loss * x.size(0); loss.backward()", "model.total = 0.0", ["TL102"]),
    "a tensor that is joined to the last ones": ("loss.backward(); kept = torch.cat((kept, out))", "kept = torch.zeros(1)", ["TL101"]),
    "a tensor that begins as the first one": (
        "loss.backward()\n        if kept is None: kept = out\n        else: kept = torch.cat([kept, out])",
        "kept = None",
        ["TL101"],
    ),
    "a tensor that grows for one backward": ("kept = torch.cat((kept, out)); kept.sum().backward()", "kept = torch.zeros(1)", []),
    "a tensor that grows by what was made of it": ("kept = torch.cat((kept, model(kept))); loss.backward()", "kept = x0", []),
    "rows that are filled for one backward": ("kept[i][0] = out.mean()", "kept = torch.zeros(9, 1)", []),
    "a weight": ("first, second, weight = losses_of(out, y); total += weight; (first + weight * second).backward()", "total = 0.0", []),
    "what is weighted": ("first, second = losses_of(out, y); total += first; (first + 0.1 * second).backward()", "total = 0.0", ["TL102"]),
}


@pytest.mark.parametrize(("kept", "before", "expected"), FOUND.values(), ids=FOUND)
def test_what_grows_is_found_wherever_backward_stands(kept: str, before: str, expected: list[str]) -> None:
    step = "\n        out = model(x)\n        loss = F.mse_loss(out, y)\n"
    text = loop(kept, before=before, after="kept.sum().backward()" if "kept[i]" in kept else "pass", step=step)

    assert [each.code for each in lint(text, Settings(select=("TL101", "TL102")))] == expected


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

"""Evaluations: which calls of a module are measured, whether gradients are recorded for them, and in which mode the module is."""

import textwrap
from pathlib import Path

import pytest
from probing import IMPORTS, model

from torchlint.model.evaluation import Evaluation, evaluations
from torchlint.program.analysis import FileAnalysis
from torchlint.program.project import Project

EVALUATE = """
    def evaluate(net, loader):
        net.eval()
        hits = 0
        for x, y in loader:
            out = net(x)
            hits += (out.argmax(1) == y).sum().item()
        return hits
"""


def the_evaluation(code: str) -> Evaluation:
    (found,) = evaluations(model(code))
    return found


MEASURED = {
    "a number": "print(net(x).sum().item())",
    "a choice": "print(net(x).argmax(1))",
    "a comparison": "print(net(x) > 0)",
    "through a call out of sight": "print(criterion(net(x), y).item())",
    "a float": "total += float(F.mse_loss(net(x), y))",
    "a function of torch": "print(torch.topk(net(x), 5))",
    "a function of Python": "print(math.log(net(x)))",
    "a helper": "print(hits(y, net(x)))",
    "a helper's helper": "print(share(net(x), y))",
}
HELPERS = """
def hits(truth, guess): return (guess.argmax(1) == truth).sum()
def share(guess, truth): return hits(truth, guess=guess) / len(truth)
def both(guess, truth): return guess, truth.item()
"""


@pytest.mark.parametrize("body", MEASURED.values(), ids=MEASURED)
def test_outputs_that_are_measured_make_an_evaluation(body: str) -> None:
    code = f"import math\n{HELPERS}def f(net: nn.Module, loader, criterion, total):\n    for x, y in loader:\n        {body}\n"

    assert len(evaluations(model(code))) == 1


NOT_MEASURED = {
    "returned": "return net(x)",
    "thrown away": "net(x)",
    "loss module": "print(nn.MSELoss()(x, y).item())",
    "not a module": "print(f(x).item())",
    "a helper of which only another result is": "print(both(net(x), y))",
    "trained": "loss = F.mse_loss(net(x), y)\n        loss.backward()\n        print(loss.item())",
}


@pytest.mark.parametrize("body", NOT_MEASURED.values(), ids=NOT_MEASURED)
def test_other_calls_make_none(body: str) -> None:
    assert evaluations(model(f"{HELPERS}def f(net: nn.Module, loader):\n    for x, y in loader:\n        {body}\n")) == []


def test_loop_beside_one_that_trains_is_an_evaluation_of_its_own() -> None:
    code = """
        def run(net: nn.Module, loader, other):
            for x, y in loader:
                F.mse_loss(net(x), y).backward()
            for x, y in other:
                print(F.mse_loss(net(x), y).item())
    """
    found = the_evaluation(code)

    assert found.file.source(found.scope).startswith("for x, y in other")
    assert found.is_beside_training


def test_methods_of_modules_and_of_managed_classes_are_left_out() -> None:
    body = "    def validate(self, x):\n        print(self.net(x).argmax(1).item())\n"

    assert evaluations(model(f"class A(nn.Module):\n{body}")) == []


GRADIENTS = {
    "recorded": (EVALUATE, True, False),
    "switched off in it": (EVALUATE.replace("out = net(x)", "with torch.no_grad(): out = net(x)"), False, True),
    "switched off by its caller": (
        EVALUATE + "\n    def run(net, loader):\n        with torch.no_grad(): evaluate(net, loader)\n",
        False,
        True,
    ),
    "switched off in the file": (EVALUATE + "\n    torch.set_grad_enabled(False)\n", False, False),
    "frozen": (EVALUATE.replace("net.eval()", "net.eval().requires_grad_(False)").replace("net(x)", "net(torch.ones(2))"), False, True),
}


@pytest.mark.parametrize(("code", "builds", "without"), GRADIENTS.values(), ids=GRADIENTS)
def test_evaluation_knows_whether_gradients_are_recorded(code: str, builds: bool, without: bool) -> None:
    found = the_evaluation(code)

    assert (found.builds_graph, found.is_without_graph) == (builds, without)


def test_function_that_another_file_may_call_without_gradients_is_not_known_to_record_them(tmp_path: Path) -> None:
    text = IMPORTS + textwrap.dedent(EVALUATE)
    (tmp_path / "test.py").write_text(text, encoding="utf-8")
    (tmp_path / "main.py").write_text(
        "import torch\nfrom test import evaluate\nwith torch.no_grad():\n    evaluate(net, [])\n", encoding="utf-8"
    )
    file = FileAnalysis(text, path=str(tmp_path / "test.py"), imports=Project([tmp_path]))

    assert [each.builds_graph for each in evaluations(file)] == [False]


WANTED = {
    "of inputs": EVALUATE.replace("out =", "x.requires_grad_(); out ="),
    "by setting a flag": EVALUATE.replace("out =", "x.requires_grad = True; out ="),
    "by a call that gets the module": EVALUATE.replace("out =", "x = attack(net, x); out ="),
    "by the caller": EVALUATE.replace("return hits", "return out"),
}


@pytest.mark.parametrize("code", WANTED.values(), ids=WANTED)
def test_gradients_may_be_wanted(code: str) -> None:
    assert the_evaluation(code).may_differentiate


def test_gradients_are_not_wanted_where_a_flag_is_only_read() -> None:
    assert not the_evaluation(EVALUATE.replace("out =", "print(x.requires_grad); out =")).may_differentiate


MODES = {
    "eval": (EVALUATE, "EVAL"),
    "none": (EVALUATE.replace("net.eval()", "net.parameters()"), None),
    "the last one": (EVALUATE.replace("net.eval()", "net.eval(); net.train()"), "TRAIN"),
    "train(False)": (EVALUATE.replace("net.eval()", "net.train(False)"), "EVAL"),
    "under a condition": (EVALUATE.replace("net.eval()", "if a: net.eval()"), None),
    "by a helper": (
        EVALUATE.replace("net.eval()", "prepare(net)").replace("(net,", "(net: nn.Module,") + "\n    def prepare(m):\n        m.eval()\n",
        "EVAL",
    ),
}


@pytest.mark.parametrize(("code", "expected"), MODES.values(), ids=MODES)
def test_evaluation_knows_the_mode_of_its_module(code: str, expected: str | None) -> None:
    mode = the_evaluation(code).mode

    assert (mode.what.name if mode is not None else None) == expected

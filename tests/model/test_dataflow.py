"""Where a value goes: through names, branches and loops, into the project's functions and out of them."""

from pathlib import Path

import pytest
from probing import IMPORTS, model, probed

from torchlint.model import FileModel
from torchlint.program.project import Project
from torchlint.values.value import Value

MADE = "def f(x: torch.Tensor, y: torch.Tensor, flag):\n    probe = x.softmax(1)\n"


def consumed(file: FileModel) -> list[Value]:
    return file.consumers(file.value(probed(file.analysis)))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return probe.log()", ["probe.log()"]),
        ("other = probe\n    third = other\n    return third.log()", ["third.log()"]),
        ("return F.nll_loss(probe, y)", ["F.nll_loss(probe, y)"]),
        ("return F.nll_loss(target=y, input=probe)", ["F.nll_loss(target=y, input=probe)"]),
        ("return nn.NLLLoss()(probe, y)", ["nn.NLLLoss()(probe, y)"]),
        ("a, b = probe, y\n    return a + b", ["probe, y", "a + b"]),
        ("if flag:\n        out = probe\n    else:\n        out = x\n    return out.log()", ["out.log()"]),
        ("out = probe if flag else x\n    return out.log()", ["out.log()"]),
        ("out = x\n    for _ in range(3):\n        if flag:\n            out = probe\n    return out.log()", ["out.log()"]),
        ("other = probe\n    other = x.relu()\n    return other.log()", []),
        ("a = probe.log()\n    return a.exp()", ["probe.log()"]),
        ("return probe", []),
    ],
)
def test_uses_are_found_through_names(body: str, expected: list[str]) -> None:
    file = FileModel(model(f"{MADE}    {body}\n"))

    assert [file.source(each.node) for each in consumed(file) if each.node is not None] == expected


@pytest.mark.parametrize(
    ("helper", "call", "expected"),
    [
        ("def loss(p, t):\n    return F.nll_loss(p, t)\n", "loss(probe, y)", ["loss", "nll_loss"]),
        ("def loss(p, t):\n    return F.nll_loss(p, t)\n", "loss(t=y, p=probe)", ["loss", "nll_loss"]),
        ("def loss(p, t):\n    return F.nll_loss(p, t)\n", "loss(y, probe)", ["loss", "nll_loss"]),
        (
            "def loss(p, t):\n    q = p\n    return inner(q, t)\ndef inner(p, t):\n    return F.nll_loss(p, t)\n",
            "loss(probe, y)",
            ["loss", "inner", "nll_loss"],
        ),
        ("def loss(p, t):\n    print(t)\n    log.append(p.log())\n", "loss(probe, y)", ["log"]),
        ("class M(nn.Module):\n    def forward(self, p):\n        return p.log()\nm = M()\n", "m(probe)", ["m", "log"]),
        ("def loss(p, t):\n    return loss(p, t) + F.nll_loss(p, t)\n", "loss(probe, y)", ["loss", "loss", "nll_loss"]),
    ],
)
def test_uses_are_found_in_the_functions_that_get_the_value(helper: str, call: str, expected: list[str]) -> None:
    file = FileModel(model(f"log = []\n{helper}{MADE}    return {call}\n"))
    names = [file.source(each.node).partition("(")[0].rpartition(".")[2] for each in consumed(file) if each.node is not None]

    assert names == expected


def test_uses_are_found_in_a_function_of_another_file(tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(f"{IMPORTS}def loss(p, t):\n    return F.nll_loss(p, t)\n", encoding="utf-8")
    main = f"from losses import loss\n{MADE}    return loss(probe, y)\n"
    (tmp_path / "main.py").write_text(IMPORTS + main, encoding="utf-8")
    file = FileModel(model(main, path=str(tmp_path / "main.py"), project=Project([tmp_path])))

    assert [each.op for each in consumed(file)] == ["nll_loss", "nll_loss"]

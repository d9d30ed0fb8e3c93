"""What the analysis beside the rules about autograd says: proofs that findings show, what lowers a fix, what other files decide."""

from pathlib import Path

import pytest

from torchlint.diagnostic import Diagnostic
from torchlint.edits import Applicability
from torchlint.engine import lint
from torchlint.program.project import Project
from torchlint.rule import SAFE, UNSAFE
from torchlint.settings import Settings

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\nfrom torch.autograd import Variable\n\n\n"


def found(code: str, body: str) -> list[Diagnostic]:
    return lint(HEAD + body, Settings(select=(code,)), path="train.py")


def related(finding: Diagnostic) -> list[tuple[str, int]]:
    return [(each.message, each.location.row - HEAD.count("\n")) for each in finding.related]


def levels(code: str, body: str) -> list[Applicability | None]:
    return [each.fix.applicability if each.fix else None for each in found(code, body)]


def test_a_cut_is_shown_where_the_graph_ends() -> None:
    (finding,) = found("TL103", "def f(model, x):\n    y = F.relu(model(x)).detach()\n    loss = (y * 2).mean()\n    loss.backward()\n")
    assert related(finding) == [("the graph ends here", 2)]


def test_a_cut_in_the_backwards_own_expression_is_not_shown_twice() -> None:
    (finding,) = found("TL103", "def f(model, x):\n    F.relu(model(x)).mean().detach().backward()\n")
    assert finding.related == ()


def test_an_array_shows_what_proves_that_there_is_none() -> None:
    (finding,) = found(
        "TL112", "def f(device):\n    w = torch.ones(2, requires_grad=True)\n    y = (w * 2).to(device)\n    return y.numpy()\n"
    )
    assert related(finding) == [("gradients are required here", 2), ("put on the device here", 3)]


@pytest.mark.parametrize(
    ("code", "body", "level"),
    [
        ("TL104", "def f(m: nn.Module):\n    for p in m.parameters():\n        p.require_grad = False\n", SAFE),
        ("TL104", "def f(x: torch.Tensor):\n    x.require_grad = True\n", UNSAFE),
        ("TL105", "def f(m: nn.Module):\n    m.requires_grad = False\n", SAFE),
        ("TL105", "def f(m: nn.Module, on):\n    m.requires_grad = on\n", UNSAFE),
        ("TL107", "def f(x):\n    y = nn.Linear(2, 2)(x)\n    z = y.data\n    return float(z.mean())\n", SAFE),
        ("TL107", "def f(x):\n    y = nn.Linear(2, 2)(x)\n    z = y.data\n    y.add_(1)\n    return float(z.mean())\n", UNSAFE),
        ("TL107", "def f(x):\n    global z\n    y = nn.Linear(2, 2)(x)\n    z = y.data\n    return float(z.mean())\n", UNSAFE),
        ("TL107", "def f(x):\n    y = nn.Linear(2, 2)(x)\n    z = y.data\n    z += 1\n    return float(z.mean())\n", UNSAFE),
        ("TL107", "def f(x):\n    y = nn.Linear(2, 2)(x)\n    return y.data\n", UNSAFE),
        ("TL107", "def f(x):\n    y = nn.Linear(2, 2)(x)\n    y.data.view(-1)[0] = 1\n", None),
        ("TL108", "def f(x):\n    return Variable(x, volatile=False)\n", SAFE),
        ("TL108", "def f(x):\n    return Variable(x, volatile=True)\n", None),
        ("TL110", "def f(device):\n    w = torch.zeros(2, requires_grad=True).to(device)\n    return torch.optim.SGD([w])\n", SAFE),
        ("TL110", "def f(device):\n    w = torch.rand(2, requires_grad=True).to(device)\n    return torch.optim.SGD([w])\n", UNSAFE),
        ("TL112", "def f():\n    w = torch.ones(2, requires_grad=True)\n    return w.numpy()\n", SAFE),
        (
            "TL112",
            "def f():\n    w = torch.ones(2, requires_grad=True)\n    try:\n        return w.numpy()\n    finally:\n        pass\n",
            UNSAFE,
        ),
    ],
)
def test_a_fix_is_as_free_as_what_is_known(code: str, body: str, level: Applicability | None) -> None:
    assert levels(code, body) == [level]


@pytest.mark.parametrize("reader", ["def f(p):\n    return p.require_grad\n", "def f(p):\n    return getattr(p, 'require_grad', True)\n"])
def test_an_attribute_that_another_file_reads_is_no_misspelling(tmp_path: Path, reader: str) -> None:
    writer = tmp_path / "writer.py"
    writer.write_text(
        text := HEAD + "def g(m: nn.Module):\n    for p in m.parameters():\n        p.require_grad = False\n", encoding="utf-8"
    )
    settings = Settings(select=("TL104",))
    assert [each.code for each in lint(text, settings, path=str(writer), project=Project([tmp_path]))] == ["TL104"]

    (tmp_path / "reader.py").write_text(reader, encoding="utf-8")
    assert lint(text, settings, path=str(writer), project=Project([tmp_path])) == []


@pytest.mark.parametrize(
    ("call", "does"),
    [
        ("Variable(torch.zeros(2))", "does nothing"),
        ("Variable(new)", "finds no graph to cut"),
        ("Variable(out)", "only detaches it"),
        ("Variable(out, requires_grad=True)", "makes a leaf of it that takes gradients"),
        ("Variable(out, flag)", "detaches it, and makes it a leaf that takes gradients if so told"),
    ],
)
def test_of_a_variable_it_is_said_what_the_call_does(call: str, does: str) -> None:
    (finding,) = found("TL108", f"def f(x, flag):\n    new, out = torch.zeros(2), nn.Linear(2, 2)(x)\n    return {call}\n")
    assert finding.message == f"`Variable` is obsolete: every tensor is one since torch 0.4, and this call {does}"


def test_only_the_first_of_two_reads_of_one_gradient_is_fixed() -> None:
    body = "def f():\n    w = torch.ones(2, requires_grad=True)\n    y = w * 2\n    y.sum().backward()\n    return y.grad, y.grad\n"
    assert levels("TL109", body) == [UNSAFE, None]


def test_anomaly_detection_is_left_alone_in_tests() -> None:
    text = "import torch\ntorch.autograd.set_detect_anomaly(True)\n"
    assert lint(text, Settings(), path="tests/test_x.py") == []
    assert [each.code for each in lint(text, Settings(), path="train.py")] == ["TL115"]


OLD = {"TL107": "y = nn.Linear(2, 2)(torch.ones(2)).data\n", "TL108": "y = Variable(torch.ones(2))\n"}


@pytest.mark.parametrize("code", OLD)
def test_what_a_torch_older_than_tensors_with_graphs_needs_is_left_to_projects_that_support_one(code: str) -> None:
    found = [lint(HEAD + OLD[code], Settings(select=(code,), torch_version=each), path="train.py") for each in ("0.3", "0.4", "2.1")]

    assert [len(each) for each in found] == [0, 1, 1]


@pytest.mark.parametrize(
    "wrapped",
    [
        "torch.zeros(2)",
        "mask.long()",
        "x.cuda()",
        "torch.ones(2), requires_grad=False",
        "torch.ones(2), requires_grad=True",
        "x, requires_grad=mask is None",
    ],
)
def test_variable_that_does_what_it_says_is_for_those_who_ask(wrapped: str) -> None:
    text = f"import torch\nfrom torch.autograd import Variable\n\n\ndef f(x, mask: torch.Tensor):\n    return Variable({wrapped})\n"

    assert lint(text) == []
    assert [each.code for each in lint(text, Settings(select=("TL108",)))] == ["TL108"]


@pytest.mark.parametrize("wrapped", ["x, volatile=True", "(x * w).sum()", "x * w, requires_grad=True", "x * w, requires_grad=flag"])
def test_variable_that_does_less_or_more_than_it_says_is_for_everybody(wrapped: str) -> None:
    setting = "import torch\nfrom torch.autograd import Variable\n\nw = torch.ones(2, requires_grad=True)\n"
    text = f"{setting}\n\ndef f(x, flag):\n    return Variable({wrapped})\n"

    assert [each.code for each in lint(text)] == ["TL108"]


def told(text: str, folder: Path, others: dict[str, str] | None = None) -> list[int]:
    """The rows at which TL108 is reported by default."""
    for name, other in (others or {}).items():
        (folder / name).write_text(HEAD + other, encoding="utf-8")
    main = folder / "main.py"
    main.write_text(HEAD + text, encoding="utf-8")
    found = lint(HEAD + text, path=str(main), project=Project([folder]))
    return [each.location.row - HEAD.count("\n") for each in found if each.code == "TL108"]


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("    x = Variable(x, volatile=True)\n    y = Variable(y, volatile=True)\n    return model(x, y)\n", [2]),
        ("    x = Variable(x, volatile=True)\n    for z in y:\n        x = model(Variable(z, volatile=True), x)\n    return x\n", [2]),
        ("    x = x.cuda()\n    y = Variable(y, volatile=True)\n    return model(x, y)\n", [3]),
    ],
)
def test_of_a_function_whose_flags_do_nothing_the_first_is_told(body: str, rows: list[int], tmp_path: Path) -> None:
    assert told(f"def f(model, x, y):\n{body}", tmp_path) == rows


HELPER = "def batch(x, evaluation=False):\n    return Variable(x, volatile=evaluation)\n"


@pytest.mark.parametrize(
    ("caller", "rows"),
    [
        ("def test(model, x):\n    return model(main.batch(x, evaluation=True))\n", [2]),
        ("def train(model, x):\n    return model(main.batch(x))\n", []),
        ("def test(model, x):\n    with torch.no_grad():\n        return model(main.batch(x, evaluation=True))\n", []),
    ],
)
def test_a_flag_that_a_helper_hands_on_is_told_where_it_is_set_and_gradients_are_on(caller: str, rows: list[int], tmp_path: Path) -> None:
    assert told(HELPER, tmp_path, {"other.py": f"import main\n\n\n{caller}"}) == rows

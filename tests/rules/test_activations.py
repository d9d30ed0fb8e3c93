"""Which operation made a value, how many dimensions it has, and how many outputs its layer."""

from pathlib import Path

import pytest

from tests.probing import model, probed
from torchlint.edits import Applicability
from torchlint.engine import lint
from torchlint.program.project import Project
from torchlint.rules.numerics._activations import activation
from torchlint.rules.numerics._ranks import outputs, rank
from torchlint.settings import Settings


def op(code: str) -> str | None:
    file = model(code)
    found = activation(file, file.value(probed(file)))
    return found.op if found is not None else None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("probe = F.softmax(x, dim=1)", "softmax"),
        ("probe = nn.Softmax(dim=1)(x)", "softmax"),
        ("probe = torch.sigmoid(x).view(-1)[:, 0].float()", "sigmoid"),
        ("probe = torch.sigmoid(x).long()", "long"),
        ("probe = torch.sigmoid(x) * 2", None),
        ("probe = nn.Linear(2, 3)(x)", "linear"),
        ("probe = nn.Sequential(nn.Linear(2, 3), nn.Softmax(1))(x)", "softmax"),
        ("probe = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Sigmoid()), nn.Flatten())(x)", "sigmoid"),
        ("probe = nn.DataParallel(nn.Sequential(nn.Linear(2, 3), nn.Softmax(1)))(x)", "softmax"),
        ("probe = nn.Sequential(nn.Linear(2, 3), *more)(x)", None),
        ("probe = nn.Sequential(nn.Linear(2, 3), more)(x)", None),
        ("layers = [nn.Linear(2, 3), nn.Sigmoid()]\nprobe = nn.Sequential(*layers)(x)", "sigmoid"),
        ("layers = [nn.Linear(2, 3), nn.Sigmoid()]\nlayers.append(nn.Linear(3, 3))\nprobe = nn.Sequential(*layers)(x)", None),
        ("layers = [nn.Linear(2, 3)]\nif x.any():\n    layers += [nn.Sigmoid()]\nprobe = nn.Sequential(*layers)(x)", None),
        ("layers = [nn.Linear(2, 3)]\nlayers += [nn.Sigmoid()]\nprobe = nn.Sequential(*layers)(x)", None),
        ("import collections\nprobe = nn.Sequential(collections.OrderedDict([('a', nn.ReLU()), ('b', nn.Sigmoid())]))(x)", "sigmoid"),
        ("probe = nn.parallel.DataParallel(nn.Sequential(nn.Linear(2, 3), nn.Sigmoid()), device_ids=[0])(x)", "sigmoid"),
        ("net = nn.Sequential(nn.Linear(2, 3), nn.Softmax(1))\nnet.append(nn.Linear(3, 3))\nprobe = net(x)", None),
        ("net = nn.Sequential(nn.Linear(2, 3), nn.Softmax(1))\nnet[1] = more\nprobe = net(x)", None),
        ("y = F.softmax(x, 1) if x.any() else x.softmax(0)\nprobe = y", "softmax"),
        ("y = F.softmax(x, 1) if x.any() else x\nprobe = y", None),
        ("y = F.softmax(x, 1)\ny.log_()\nprobe = y", None),
        ("probe = unknown(x)", None),
    ],
)
def test_an_operation_is_found_through_names_views_and_layers(code: str, expected: str | None) -> None:
    assert op(code) == expected


NET = """
class Net(nn.Module):
    def __init__(self, late=None):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.end = nn.Softmax(dim=1)

    def forward(self, x):
        {body}
"""


@pytest.mark.parametrize(
    ("body", "after", "expected"),
    [
        ("return self.end(self.fc(x))", "probe = Net()(x)", "softmax"),
        ("return self.fc(x)", "net = Net().cuda()\nprobe = net(x)", "linear"),
        ("return self.fc(x), self.end(self.fc(x))", "a, b = Net()(x)\nprobe = b", "softmax"),
        ("return self.end(self.fc(x)) if self.training else self.fc(x)", "probe = Net()(x)", None),
        ("return x", "probe = Net()(F.softmax(x, 1))", "softmax"),
        ("return x.squeeze(1)", "probe = Net()(F.softmax(x, 1))", "softmax"),
        ("return self.fc(x)", "net = Net()\nnet.fc = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(1))\nprobe = net(x)", None),
        ("if self.training:\n            return self.end(x)", "probe = Net()(x)", None),
    ],
)
def test_a_model_of_the_project_yields_what_all_its_ways_end_in(body: str, after: str, expected: str | None) -> None:
    assert op(NET.format(body=body) + after) == expected


@pytest.mark.parametrize(
    ("callers", "expected"),
    [("f(F.softmax(x, 1))", "softmax"), ("f(F.softmax(x, 1))\nf(x.softmax(0))", "softmax"), ("f(F.softmax(x, 1))\nf(x)", None), ("", None)],
)
def test_a_parameter_is_what_all_callers_hand_over(callers: str, expected: str | None) -> None:
    assert op(f"def f(y):\n    probe = y\n\n\n{callers}\n") == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("probe = x.view(-1, 3)", 2),
        ("probe = x.view(shape)", None),
        ("probe = torch.relu(x.reshape(2, 3, 4))", 3),
        ("probe = x.flatten(1)", 2),
        ("probe = torch.flatten(x)", 1),
        ("probe = torch.flatten(x, 1, 2)", None),
        ("probe = torch.randn(3, 4) + torch.zeros(4)", 2),
        ("probe = torch.zeros((2, 3, 4))", 3),
        ("probe = nn.Linear(3, 4)(torch.mm(x, x))", 2),
        ("probe = nn.Linear(3, 4)(x)", None),
        ("probe = torch.randn(3, 4).unsqueeze(0)", None),
    ],
)
def test_dimensions_are_counted_where_they_are_spelt_out(code: str, expected: int | None) -> None:
    file = model(code)

    assert rank(file, file.value(probed(file))) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("probe = nn.Linear(3, 1)(x)", 1),
        ("probe = nn.Conv2d(3, out_channels=8, kernel_size=1)(x)", 8),
        ("probe = nn.Sequential(nn.ReLU(), nn.LazyLinear(5))(x)", 5),
        ("probe = nn.Linear(3, n)(x)", None),
        ("probe = F.linear(x, w)", None),
    ],
)
def test_outputs_are_those_of_the_layer(code: str, expected: int | None) -> None:
    file = model(code)
    found = activation(file, file.value(probed(file)))

    assert found is not None
    assert outputs(found) == expected


CHOSEN = """
class Other(nn.Module):
    def forward(self, x):
        return torch.relu(x)


def test(net, x):
    probe = net(x)


if x:
    net = Other().cuda()
else:
    net = {given}().cuda()
test(net, x)
"""


@pytest.mark.parametrize(("given", "expected"), [("Net", None), ("Other", "relu")])
def test_a_parameter_that_may_be_one_of_several_models_is_unknown(given: str, expected: str | None) -> None:
    assert op(NET.format(body="return self.end(self.fc(x))") + CHOSEN.format(given=given)) == expected


TRAINER = """
class Trainer:
    def __init__(self, model: nn.Module, rank):
        self.model = nn.parallel.DistributedDataParallel(model.to(rank), device_ids=[rank])

    def step(self, x):
        probe = self.model(x)


def build():
    return nn.Linear(20, 1), 3


def main(other):
    model, size = build()
    Trainer({given}, rank=0)
"""


@pytest.mark.parametrize(("given", "expected"), [("model", "linear"), ("nn.Sequential(model, nn.Sigmoid())", "sigmoid"), ("other", None)])
def test_a_model_is_what_the_class_is_constructed_with(given: str, expected: str | None) -> None:
    assert op(TRAINER.format(given=given)) == expected


MODEL = (
    "import torch.nn as nn\n\n\n"
    + NET.replace("torch.", "").format(body="return self.end(self.fc(x))")
    + "\n\ndef loss_of(output, y):\n    return nn.functional.cross_entropy(output, y)\n"
)
MAIN = """
import torch.nn as nn
from net import Net

criterion = nn.CrossEntropyLoss()


def step(x, y):
    model = Net()
    return criterion(model(x), y)
"""


def test_a_model_in_another_file_is_followed_and_its_softmax_shown(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MODEL, encoding="utf-8")
    main = tmp_path / "main.py"
    main.write_text(MAIN, encoding="utf-8")
    found = lint(MAIN, Settings(select=("TL601",)), path=str(main), project=Project([tmp_path]))

    assert [(each.location.row, each.fix) for each in found] == [(10, None)]
    assert [Path(str(each.path)).name for each in found[0].related] == ["net.py"]


def test_a_parameter_of_a_function_that_other_files_call_is_unknown(tmp_path: Path) -> None:
    text = "import torch.nn.functional as F\n\n\ndef loss(p, y):\n    return F.cross_entropy(p, y)\n\n\nloss(F.softmax(x, 1), y)\n"
    main = tmp_path / "main.py"
    main.write_text(text, encoding="utf-8")

    def rows() -> list[tuple[int, Applicability | None]]:
        found = lint(text, Settings(select=("TL601",)), path=str(main), project=Project([tmp_path]))
        return [(each.location.row, each.fix.applicability if each.fix else None) for each in found]

    assert rows() == [(5, None)]
    (tmp_path / "other.py").write_text("from main import loss\n\nloss(logits, y)\n", encoding="utf-8")
    assert rows() == []

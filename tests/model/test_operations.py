"""Operations in all their forms, arguments by name, results that are thrown away, values that get out."""

import pytest
from probing import model, probed

from torchlint.facts.operations import Form
from torchlint.model import FileModel

FORMS = {
    "F.softmax(x, 1)": Form.FUNCTION,
    "torch.softmax(x, dim=1)": Form.FUNCTION,
    "x.softmax(1)": Form.METHOD,
    "nn.Softmax(dim=1)(x)": Form.MODULE,
    "layer(x)": Form.MODULE,
}


def read(code: str) -> FileModel:
    return FileModel(model(code))


@pytest.mark.parametrize("call", FORMS)
def test_an_operation_is_one_in_all_its_forms(call: str) -> None:
    (found,) = read(f"def f(x: torch.Tensor):\n    layer = nn.Softmax(1)\n    return {call}\n").operations("softmax")

    assert found.form is FORMS[call]
    assert found.literal("dim") == 1
    assert found.value("input") is not None
    assert not found.may_have("dtype")


@pytest.mark.parametrize("call", ["y.softmax(1)", "softmax(x, 1)", "self.layer(x)", "F.relu(x)", "numpy.softmax(x)"])
def test_what_is_not_known_to_be_torchs_is_no_operation(call: str) -> None:
    assert list(read(f"import numpy\ndef f(self, x, y):\n    return {call}\n").operations("softmax")) == []


def test_what_a_module_out_of_sight_was_built_with_may_be_anything() -> None:
    file = read("def f(loss: nn.CrossEntropyLoss, x, y):\n    return loss(x, y)\n")
    (found,) = file.operations("cross_entropy")

    assert found.literal("reduction") is ...
    assert found.may_have("reduction")


def test_declarations_say_what_an_operation_changes() -> None:
    (found,) = read("def f(x: torch.Tensor):\n    x.add_(1)\n").operations("add_")

    assert found.operation.changes == {"self"}


def test_results_that_nobody_takes() -> None:
    file = read("async def f(x):\n    x.cpu()\n    y = x.cuda()\n    await g(x)\n    return h(x)\n")

    assert [file.source(each) for each in file.discarded()] == ["x.cpu()", "g(x)"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print(probe.item())", False),
        ("total = probe + 1", False),
        ("return probe", True),
        ("return [probe]", True),
        ("return {'loss': probe}", True),
        ("return probe.item()", False),
        ("self.last = probe", True),
        ("somebody.takes(probe)", True),
        ("return lambda: probe", True),
    ],
)
def test_values_that_get_out(code: str, expected: bool) -> None:
    file = read(f"def f(self, x, somebody):\n    probe = torch.zeros(2)\n    {code}\n")

    assert file.escapes(file.value(probed(file.analysis))) is expected


def test_what_is_computed_from_a_value() -> None:
    file = read("def f(y):\n    probe = torch.zeros(2)\n    a = probe * 2\n    b = a + y\n    return torch.cat([probe, b])\n")
    found = file.consumers(file.value(probed(file.analysis)))

    assert [file.source(each.node) for each in found if each.node is not None] == ["probe * 2", "[probe, b]"]


def test_the_module_around_a_node() -> None:
    file = read("class Net(nn.Module):\n    def forward(self, x):\n        return x.relu()\ndef f(x):\n    return x.exp()\n")
    inside, outside = file.methods("relu", "exp")

    assert file.module_of(inside) is next(file.classes())
    assert file.module_of(outside) is None

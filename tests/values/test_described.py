"""What made a value, by the operation's name, and of which type its elements are where the code says it."""

from pathlib import Path

import pytest
from probing import value, value_in

from torchlint.facts.dtypes import Numbers, numbers


@pytest.mark.parametrize(
    ("expression", "op"),
    [
        ("torch.softmax(x, 1)", "softmax"),
        ("F.softmax(x, dim=1)", "softmax"),
        ("x.softmax(1)", "softmax"),
        ("nn.Softmax(1)(x)", "softmax"),
        ("layer(x)", "softmax"),
        ("x.argmax(1)", "argmax"),
        ("F.cross_entropy(x, y)", "cross_entropy"),
        ("nn.CrossEntropyLoss()(x, y)", "cross_entropy"),
        ("torch.zeros(2)", "zeros"),
        ("x.detach()", "detach"),
        ("x.max(1)[0]", "max"),
        ("torch.topk(x, 2)[1]", "topk"),
        ("x + 1", "add"),
        ("x @ y", "matmul"),
        ("-x", "neg"),
        ("x == y", "eq"),
        ("helper(x)", "log_softmax"),
        ("x.softmax(1) if flag else torch.softmax(x, 0)", "softmax"),
        ("x.softmax(1) if flag else x.relu()", None),
        ("y.frobnicate()", None),
        ("unknown.softmax_with_care(1)", None),
        ("unknown + 1", None),
        ("1 + 2", None),
        ("x", None),
        ("nn.Linear(2, 2)(x)", "linear"),
        ("nn.LSTM(2, 2)(x)", None),
    ],
)
def test_the_operation_that_made_a_value(expression: str, op: str | None) -> None:
    code = f"""
    def helper(z):
        return F.log_softmax(z, 1)

    def f(x: torch.Tensor, y: torch.Tensor, unknown, flag):
        layer = nn.Softmax(dim=1)
        probe = {expression}
    """
    assert value(code).op == op


def test_the_operation_in_a_helper_of_another_file(tmp_path: Path) -> None:
    texts = {
        "main.py": "from heads import head\ndef f(x: torch.Tensor):\n    probe = head(x)\n",
        "heads.py": "def head(x):\n    return F.softmax(x, 1)\n",
    }

    assert value_in(tmp_path, texts).op == "softmax"


@pytest.mark.parametrize(
    ("expression", "dtype"),
    [
        ("torch.zeros(2, dtype=torch.long)", "int64"),
        ("torch.tensor([1], dtype=torch.float)", "float32"),
        ("torch.zeros(2, dtype=kind)", "float16"),
        ("torch.zeros_like(x.half())", "float16"),
        ("torch.zeros(2)", None),
        ("x.long()", "int64"),
        ("x.bool()", "bool"),
        ("x.byte()", "uint8"),
        ("x.to(torch.bfloat16)", "bfloat16"),
        ("x.to('cuda', torch.double)", "float64"),
        ("x.to(dtype=torch.int)", "int32"),
        ("x.half().to('cuda')", "float16"),
        ("x.half().clone().view(-1)", "float16"),
        ("x.half().to(somewhere)", None),
        ("x.half() + x", None),
        ("x.to('cuda')", None),
        ("x > 0", "bool"),
        ("torch.softmax(x, 1, dtype=torch.float32)", "float32"),
        ("x.half() if flag else x.to(torch.float16)", "float16"),
        ("x.half() if flag else x.float()", None),
    ],
)
def test_the_type_of_elements_where_it_is_spelt_out(expression: str, dtype: str | None) -> None:
    code = f"kind = torch.half\ndef f(x: torch.Tensor, somewhere, flag):\n    probe = {expression}\n"

    assert value(code).dtype == dtype


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("float8_e4m3fn", Numbers.FLOATING),
        ("bfloat16", Numbers.FLOATING),
        ("complex64", Numbers.COMPLEX),
        ("uint8", Numbers.INTEGER),
        ("int64", Numbers.INTEGER),
        ("bool", Numbers.BOOL),
        ("quint8", None),
        ("bits8", None),
    ],
)
def test_what_a_type_holds(name: str, expected: Numbers | None) -> None:
    assert numbers(name) is expected

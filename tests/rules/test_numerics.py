"""What the rules about numbers take for certain: plain numbers, kinds of elements, terms of sums, pieces of memory."""

import libcst as cst
import pytest

from torchlint.engine import lint
from torchlint.facts.dtypes import Numbers
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.numerics._layouts import turned
from torchlint.rules.numerics._numbers import counts, numbers_of
from torchlint.rules.numerics._plain import plain_number
from torchlint.rules.numerics._terms import terms, without
from torchlint.settings import Settings
from torchlint.syntax import cells

HEAD = "import math\nimport torch\n\ndef f(x: torch.Tensor, n, width: int = 3):\n    size = x.size(0)\n    probe = "


def probe(expression: str) -> tuple[FileAnalysis, cst.BaseExpression]:
    file = FileAnalysis(HEAD + expression + "\n")
    found = next(each for each in file.nodes(cst.Assign) if getattr(each.targets[0].target, "value", "") == "probe")
    return file, found.value


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("2", int),
        ("-2.5", float),
        ("2 * math.pi", float),
        ("len(x) + 1", int),
        ("size // 2", int),
        ("size / 2", float),
        ("x.shape[0]", int),
        ("math.floor(2.5)", int),
        ("x.sum().item()", float),
        ("n", None),
        ("width", None),
        ("width * 2", None),
        ("x.sum()", None),
        ("n.size", None),
    ],
)
def test_number_is_plain_only_where_no_caller_decides(expression: str, kind: type | None) -> None:
    assert plain_number(*probe(expression)) is kind


@pytest.mark.parametrize(
    ("expression", "numbers"),
    [
        ("x == 1", Numbers.BOOL),
        ("x.eq(1)", Numbers.BOOL),
        ("x.argmax(1)", Numbers.INTEGER),
        ("x.long() + 1", Numbers.INTEGER),
        ("x.long() * 0.5", None),
        ("x.long() / 2", None),
        ("torch.arange(len(x))", Numbers.INTEGER),
        ("torch.arange(n)", None),
        ("torch.tensor([1, 2])", Numbers.INTEGER),
        ("torch.tensor([1, 2.0])", Numbers.FLOATING),
        ("torch.randint(3, (2,), dtype=torch.float32)", Numbers.FLOATING),
        ("x", None),
    ],
)
def test_kind_of_elements_follows_from_what_made_them(expression: str, numbers: Numbers | None) -> None:
    file, node = probe(expression)

    assert numbers_of(file, file.value(node)) is numbers


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("torch.bincount(x).float()", True), ("x.float()", True), ("x.clamp(min=1)", False), ("x.long().view(-1)", True), ("x.exp()", False)],
)
def test_counts_are_told_from_other_floats(expression: str, expected: bool) -> None:
    file, node = probe(expression)

    assert counts(file, file.value(node)) is expected


@pytest.mark.parametrize(
    ("expression", "left"),
    [("1 + n", 1), ("n + 1.0 + x", 2), ("1 - n", 1), ("(1 + n) + x", None), ("1 + n + 2", None), ("2 + n", None), ("1 * n", None)],
)
def test_sum_is_taken_apart_down_to_its_parentheses(expression: str, left: int | None) -> None:
    rest = without(terms(probe(expression)[1]), 1.0)

    assert (rest if rest is None else len(rest)) == left


@pytest.mark.parametrize(
    ("expression", "pieces"),
    [
        ("x.t()", 2),
        ("x.T", 2),
        ("x.transpose(0, 1)", 2),
        ("x.transpose(1, 2)", 3),
        ("x.transpose(-1, -2)", 2),
        ("x.transpose(1, -1)", 3),
        ("x.transpose(0, 2)", 3),
        ("x.permute(0, 2, 3, 1)", 3),
        ("x.permute(1, 0, 2)", 3),
        ("x.permute(0, 1, 2)", None),
        ("x.t().t()", None),
        ("x.transpose(0, n)", None),
    ],
)
def test_pieces_of_memory_follow_from_the_order_of_dimensions(expression: str, pieces: int | None) -> None:
    found = turned(*probe(expression))

    assert (found.pieces if found is not None else None) == pieces


def test_what_chooses_the_entries_that_are_written_is_known() -> None:
    text = "import torch\n\nx = torch.randn(3)\nx[x == float('nan')] = 0\n"

    assert [each.code for each in lint(text, Settings(select=("TL610",)))] == ["TL610"]


def test_logarithm_of_softmax_that_a_cell_only_shows_is_quiet() -> None:
    text = f"import torch\nx = torch.ones(2, 3)\n{cells.END}\ntorch.log(torch.softmax(x, 1))\n{cells.END}\n"

    asked = Settings(select=("TL605",))

    assert lint(text, asked) == []
    assert [each.code for each in lint(text.replace("\ntorch.log", "\ny = torch.log"), asked)] == ["TL605"]

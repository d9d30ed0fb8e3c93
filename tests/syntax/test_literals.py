"""What literals spell out."""

import libcst as cst
import pytest

from torchlint.syntax.literals import integer, literal


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "-2",
        "+3",
        "1.5",
        "-1e-3",
        "2j",
        "True",
        "None",
        "'a'",
        "'a' 'b'",
        "b'x'",
        "''",
        '""',
        "''''''",
        '"""a"b\'c\n"""',
        r"'a\tb'",
        r"r'\d'",
        "'''a\r\nb'''",
        "1_000",
        "0x1f",
        "(1, 'a', (None,))",
        "[1, -2]",
        "()",
    ],
)
def test_a_literal_says_what_python_says(text: str) -> None:
    assert literal(cst.parse_expression(text)) == eval(text)


@pytest.mark.parametrize("text", ["x", "1 + 1", "f()", "not True", "-True", "(1, x)", "[*a]", "f'{x}'", "{'a': 1}"])
def test_what_is_no_literal_says_nothing(text: str) -> None:
    assert literal(cst.parse_expression(text)) is ...


def test_no_expression_says_nothing() -> None:
    assert literal(None) is ...


@pytest.mark.parametrize(("text", "expected"), [("3", 3), ("-3", -3), ("3.0", None), ("x", None)])
def test_whole_numbers(text: str, expected: int | None) -> None:
    assert integer(cst.parse_expression(text)) == expected

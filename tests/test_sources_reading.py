"""How bytes become text, and which bytes do not."""

import codecs

import pytest

from torchlint.sources.reading import Undecodable, decode
from torchlint.syntax.nesting import too_deep


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"", "", "utf-8"),
        ("é = 1\n".encode(), "é = 1\n", "utf-8"),
        ("# -*- coding: latin-1 -*-\né = 1\n".encode("latin-1"), "# -*- coding: latin-1 -*-\né = 1\n", "iso-8859-1"),
        ("#!/usr/bin/python\n# vim: set fileencoding=cp1251 :\nж = 1\n".encode("cp1251"), None, "cp1251"),
        (codecs.BOM_UTF8 + b"a = 1\n", "a = 1\n", "utf-8"),
        (b"a\r\nb\rc\n\x0cd", "a\r\nb\rc\n\x0cd", "utf-8"),
    ],
)
def test_text_is_decoded_as_python_would_and_gives_the_same_bytes_back(data: bytes, text: str | None, encoding: str) -> None:
    source = decode(data)

    assert (source.text, source.encoding) == (data.decode(encoding) if text is None else text, encoding)
    assert source.encode(source.text) == data


@pytest.mark.parametrize(
    ("data", "said", "row"),
    [
        (b"a\nb\0c\n", "the file contains a NUL byte", 2),
        (b"a = 1\nb = '\xff'\n", "invalid start byte", 2),
        (codecs.BOM_UTF8 + b"a\n\nb = '\xff'\n", "invalid start byte", 3),
        (b"# coding: klingon\n", "unknown encoding: klingon", 1),
        (b"# coding: rot13\n", "rot13", 1),
        (b"# coding: ascii\n\n# \xe9\n", "the file is not valid ascii", 3),
        (codecs.BOM_UTF8 + b"# coding: latin-1\n", "encoding problem", 1),
    ],
)
def test_what_cannot_be_decoded_says_why_and_where(data: bytes, said: str, row: int) -> None:
    with pytest.raises(Undecodable) as raised:
        decode(data)

    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.row == row


CHAINS = {
    "brackets": lambda depth: "x = " + "(" * depth + "1" + ")" * depth,
    "open brackets": lambda depth: "x = \n\n" + "[" * depth,
    "attributes": lambda depth: "x = a" + ".b" * depth,
    "calls": lambda depth: "x = a" + "()" * depth,
    "operators": lambda depth: "x = " + "1 + " * depth + "1",
    "not": lambda depth: "x = " + "not " * depth + "1",
}


@pytest.mark.parametrize("chain", CHAINS)
def test_what_would_exhaust_the_parser_is_seen_before_it_is_parsed(chain: str) -> None:
    for depth in (1_500, 30_000):
        assert too_deep(CHAINS[chain](depth) + "\n") == (3 if chain == "open brackets" else 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        *(chain(150) for chain in CHAINS.values()),
        "a = '(((('\n# ((((\n" * 200,
        "x = [" + "1, " * 50_000 + "]\n",
        f"x = '{'a' * 100_000}'\n",
        f"x = '\\d{'a' * 3_000}'\n",
        "x = (\n" * 150,
        "def f(:\n" + "y" * 3_000,
    ],
)
def test_ordinary_code_passes_whatever_its_length(text: str) -> None:
    assert too_deep(text) is None

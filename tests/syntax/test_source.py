"""Spans against two oracles: LibCST's position provider where LibCST gives a text back as it was, Python's own tree elsewhere."""

import ast
import sys
import sysconfig
from pathlib import Path
from typing import NoReturn

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from torchlint.syntax import making
from torchlint.syntax.source import Source, SourceMismatch
from torchlint.syntax.tree import Tree

STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
NAMES = """
abc argparse ast asyncio/tasks asyncio/taskgroups base64 bisect collections/__init__ colorsys contextlib copy csv
dataclasses decimal email/mime/base enum functools graphlib heapq inspect json/decoder keyword linecache logging/config
mimetypes netrc operator optparse pickletools platform pprint queue random reprlib shlex stat textwrap this token
tomllib/_parser turtle types uuid xml/dom/minidom
"""
SAMPLE = [path for path in (STANDARD_LIBRARY / f"{name}.py" for name in NAMES.split()) if path.is_file()]
ODD = {
    "nested f-strings": "x = f'{a!r:>{w}} {f\"{b}\"} { {1: c} }'\n",
    "f-string over rows": "x = f'''{\n a\n} é {b:\n}'''\n",
    "semicolons": "a; b;c ;\n",
    "suite on one row": "for x in y: a; b  # c\n",
    "continuation": "a = b + \\\n    c\n",
    "tabs": "if a:\n\tb\n\tif c:\n\t\td\n",
    "no newline at the end": "a\nb",
    "comment at the end": "a\n# b",
    "windows newlines": "def f():\r\n    return '''a\r\nb'''\r\n\r\nf()\r\n",
    "mixed newlines": "a\r\nb\nc\rd\n",
    "form feed inside": "a\n\f\nb = \f1\f\n",
    "characters of several bytes": "名 = 'é' + \"😀\"; b\n",
    "empty": "",
    "only a comment": "# a\n",
    "parentheses": "x = ((a)) + (  # c\n  b\n)\n",
    "generator argument": "f(x for x in y)\n",
    "patterns": "match a:\n    case [b, *_] if c:\n        d\n    case {'k': v, **r} | E(f=g):\n        pass\n",
    "exception groups": "try:\n    a\nexcept* E as e:\n    b\n",
    "type parameters": "def f[T: int, *A, **P](x: T) -> T: return x\ntype L[T] = list[T]\n",
    "bracketed with": "with (\n    a as b,\n    c as d,\n):\n    pass\n",
    "decorators": "@a\n# c\n@b.c(d)\nasync def f(x, /, y: int = 1, *, z): await x\n",
    "elif": "if a:\n    b\nelif c:\n    d\nelse:\n    e\n    # footer\n# after\n",
}


def mismatches(text: str) -> list[tuple[str, object, object]]:
    """The nodes, spelled out, whose place differs from LibCST's; rows and columns are compared, as LibCST has no offsets."""
    module = cst.parse_module(text)
    source = Source(text, module)
    positions = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    found = []
    for node, position in positions.items():
        if isinstance(node, making.SHARED):
            continue  # equal ones are one node, which stands in many places
        expected = (position.start.line, position.start.column + 1), (position.end.line, position.end.column + 1)
        start, end = source.span(node)
        actual = source.location(start), source.location(end)
        within = end <= len(text)  # LibCST counts the last newline even where the file has none
        if within and actual != expected:
            found.append((type(node).__name__, expected, actual))
    return found


class Near(Source):
    """Knows no spans but those of single statements."""

    @property
    def _recorded(self) -> NoReturn:  # type: ignore[override]
        raise AssertionError("the whole module was generated")


def differences(text: str) -> list[tuple[str, object, object]]:
    """The same where no more is generated than the statement around each node; later nodes first, so that it is the smallest."""
    module = cst.parse_module(text)
    tree = Tree(module)
    source = Near(text, module, tree=tree)
    positions = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    found = []
    for node in reversed(tree.parents):
        source._left = len(text)
        position = positions[node]
        expected = (position.start.line, position.start.column + 1), (position.end.line, position.end.column + 1)
        start, end = source.span(node)
        actual = source.location(start), source.location(end)
        first, last = source.around(node)
        if actual != expected or not first <= start <= end <= last:
            found.append((type(node).__name__, expected, actual))
    return found


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.relative_to(STANDARD_LIBRARY).as_posix())
def test_spans_of_single_statements_are_those_of_libcst(path: Path) -> None:
    assert differences(path.read_text("utf-8")) == []


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_spans_of_single_statements_in_odd_texts_are_those_of_libcst(text: str) -> None:
    assert differences(text) == []


@pytest.mark.parametrize("text", ["x = f'{(\n  a)}'\nb = c\n", "x = f'''{ # '\n a}'''\nb = c\n"])
def test_where_lines_cannot_be_told_apart_the_whole_module_is_generated(text: str) -> None:
    module = cst.parse_module(text)
    source = Source(text, module)

    start, end = source.span(module.body[1])
    assert text[start:end] == "b = c"
    assert mismatches(text) == []


def test_a_statement_of_another_text_is_refused() -> None:
    source = Source("a = 2\n", cst.parse_module("a = 1\n"))

    with pytest.raises(SourceMismatch):
        source.span(source.module.body[0])


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.relative_to(STANDARD_LIBRARY).as_posix())
def test_spans_are_those_of_libcst_in_the_standard_library(path: Path) -> None:
    text = path.read_text("utf-8")
    assert mismatches(text) == []


def test_the_standard_library_gives_a_sample() -> None:
    assert len(SAMPLE) > 35


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_spans_are_those_of_libcst_in_odd_texts(text: str) -> None:
    assert cst.parse_module(text).code == text
    assert mismatches(text) == []


FORGOTTEN = {
    "form feed before a statement": "\fa = 1\n\f\ndef f():\n\f  return a + 1\n\f  b\nf(a)\n",
    "form feed before one indented row": "if a:\n    b\n\f    c\nd\n",
    "continuation before a statement": "\\\na = 1\nif a:\n    b\n    \\\n    c('\\\\')\nd\n",
    "blank before the colon of except": "try:\n    a\nexcept E :\n    b\nc(d)\n",
    "carriage returns only": "a = 1\rif a:\r    b(c)\rd\r",
}


@pytest.mark.parametrize("text", FORGOTTEN.values(), ids=FORGOTTEN)
def test_spans_hold_where_libcst_forgets_blanks(text: str) -> None:
    module = cst.parse_module(text)
    assert module.code != text, "LibCST has learnt it; this belongs with the odd texts now"
    source = Source(text, module)
    names = {(node.lineno, node.col_offset + 1, node.id) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    found = set()
    for node in source._recorded.spans:
        if isinstance(node, cst.Name):
            start, end = source.span(node)
            assert text[start:end] == node.value
            found.add((*source.location(start), node.value))
    assert names <= found
    assert {name for *_, name in found} - {name for *_, name in names} <= {"f"}, "only the function's own name is no Name for Python"


def test_a_tree_of_another_text_is_refused() -> None:
    source = Source("a = 2\n", cst.parse_module("a = 1\n"))
    with pytest.raises(SourceMismatch):
        source.span(source.module)
    longer = Source("a = 1\nb\n", cst.parse_module("a = 1\n"))
    with pytest.raises(SourceMismatch):
        longer.span(longer.module)


@pytest.mark.parametrize(
    ("text", "offset", "location"),
    [
        ("ab\ncd", 0, (1, 1)),
        ("ab\ncd", 2, (1, 3)),
        ("ab\ncd", 3, (2, 1)),
        ("ab\ncd", 5, (2, 3)),
        ("a\r\nb", 3, (2, 1)),
        ("a\rb", 2, (2, 1)),
        ("a\r\rb", 3, (3, 1)),
        ("'\f\x0b\x1c\x85\u2028';b", 8, (1, 9)),
        ("é😀;b", 3, (1, 4)),
    ],
)
def test_rows_end_where_editors_end_them(text: str, offset: int, location: tuple[int, int]) -> None:
    assert Source(text, cst.parse_module("")).location(offset) == location


@pytest.mark.parametrize(
    ("text", "inner", "outer"),
    [
        ("(a + b).c\n", "a + b", "(a + b)"),
        ("x = ((a + b))\n", "a + b", "((a + b))"),
        ("x = ( # c\n  a + b )\n", "a + b", "( # c\n  a + b )"),
        ("x = a + b\n", "a + b", "a + b"),
    ],
)
def test_full_span_has_the_parentheses(text: str, inner: str, outer: str) -> None:
    source = Source(text, cst.parse_module(text))
    (node,) = (node for node in source._recorded.spans if isinstance(node, cst.BinaryOperation))
    start, end = source.span(node)
    assert text[start:end] == inner
    start, end = source.full_span(node)
    assert text[start:end] == outer


def test_full_span_of_a_statement_is_its_span() -> None:
    text = "with (a as b):\n    pass\nfrom x import (y)\n"
    module = cst.parse_module(text)
    source = Source(text, module)
    for statement in module.body:
        assert source.full_span(statement) == source.span(statement)
    names = module.body[1].body[0]
    assert source.full_span(names) == source.span(names)


def test_comments_are_those_of_the_text_and_not_of_its_strings() -> None:
    text = "# a\nx = '# no'  # b\nf(  # c\n)\nif x:\n    y\n    # d\n# e"
    source = Source(text, cst.parse_module(text))
    assert [text[start:end] for start, end in source.comments] == ["# a", "# b", "# c", "# d", "# e"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="frames take from the stack of the thread")
@pytest.mark.skipif(sys.version_info[:2] == (3, 12), reason="3.12 alone counts the frames of generators against a fixed limit of its own")
def test_deeply_nested_code_is_placed() -> None:
    text = "x = (\n" + '"a"\n' * 1500 + ")\n"
    module = cst.parse_module(text)
    source = Source(text, module)
    assert source.span(module.body[0]) == (0, len(text) - 1)


@pytest.mark.parametrize("tail", ["\n\t# c\n\t", "\n    # c\n  ", "\n    # c\n    # c\n\n  ", "\r\n # c\r\n\t"])
def test_comments_that_the_tree_has_lost_at_the_end_are_known_all_the_same(tail: str) -> None:
    text = f"a = 1  # c\nif a:\n    b{tail}"
    source = Source(text, cst.parse_module(text))

    assert [text[start:end] for start, end in source.comments] == ["# c"] * text.count("#")
    assert text[slice(*source.span(source.module.body[1]))].rstrip().startswith("if a:\n    b")

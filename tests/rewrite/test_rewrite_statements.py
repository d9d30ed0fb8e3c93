"""Edits of statements: rows, indentation, semicolons, comments."""

import ast
import importlib
import inspect

import libcst as cst
import pytest
from rewriting import after, find, fixed

from torchlint.rewrite import (
    Unfixable,
    decorate,
    delete_statement,
    deletes_comment,
    insert_after,
    insert_before,
    open_block,
    replace_statement,
    resolve,
)
from torchlint.rule import Fix
from torchlint.syntax.file import SourceFile

INSERT = {
    # name: (before, the code with the insertion before `x()`, the code with it after)
    "alone": ("x()\n", "new()\nx()\n", "x()\nnew()\n"),
    "no newline at the end": ("x()", "new()\nx()", "x()\nnew()"),
    "among others": ("a\nx()\nb\n", "a\nnew()\nx()\nb\n", "a\nx()\nnew()\nb\n"),
    "indented": ("if a:\n    x()\nb\n", "if a:\n    new()\n    x()\nb\n", "if a:\n    x()\n    new()\nb\n"),
    "indented by a tab": ("if a:\n\tx()\n", "if a:\n\tnew()\n\tx()\n", "if a:\n\tx()\n\tnew()\n"),
    "nested": (
        "for a in b:\n  if c:\n      x()\n  d\n",
        "for a in b:\n  if c:\n      new()\n      x()\n  d\n",
        "for a in b:\n  if c:\n      x()\n      new()\n  d\n",
    ),
    "windows newlines": ("a\r\nx()\r\n", "a\r\nnew()\r\nx()\r\n", "a\r\nx()\r\nnew()\r\n"),
    "carriage returns": ("a\rx()\rb\r", "a\rnew()\rx()\rb\r", "a\rx()\rnew()\rb\r"),
    "form feed": ("a\n\fx()\n", "a\n\fnew()\n\fx()\n", "a\n\fx()\n\fnew()\n"),
    "comment behind": ("x()  # c\nb\n", "new()\nx()  # c\nb\n", "x()  # c\nnew()\nb\n"),
    "comment above": ("a\n# c\n# d\nx()\n", "a\nnew()\n# c\n# d\nx()\n", "a\n# c\n# d\nx()\nnew()\n"),
    "comment above, first in its block": (
        "if a:\n    # c\n    x()\n",
        "if a:\n    new()\n    # c\n    x()\n",
        "if a:\n    # c\n    x()\n    new()\n",
    ),
    "comment apart": ("a\n# c\n\nx()\n", "a\n# c\n\nnew()\nx()\n", "a\n# c\n\nx()\nnew()\n"),
    "comment above the first statement": ("# file\n\n# c\nx()\n", "# file\n\nnew()\n# c\nx()\n", "# file\n\n# c\nx()\nnew()\n"),
    "interpreter and encoding": (
        "#!python\n# coding: utf-8\nx()\n",
        "#!python\n# coding: utf-8\nnew()\nx()\n",
        "#!python\n# coding: utf-8\nx()\nnew()\n",
    ),
    "string that looks like a comment": ("a = '''\n# c'''\nx()\n", "a = '''\n# c'''\nnew()\nx()\n", "a = '''\n# c'''\nx()\nnew()\n"),
    "first of a row": ("x(); a\n", "new()\nx(); a\n", "x(); new(); a\n"),
    "last of a row": ("a; x()\n", "a; new(); x()\n", "a; x()\nnew()\n"),
    "semicolon behind": ("x();\n", "new()\nx();\n", "x();\nnew()\n"),
    "suite on one row": ("for a in b: x(); c\n", "for a in b: new(); x(); c\n", "for a in b: x(); new(); c\n"),
    "end of a suite on one row": ("for a in b: c; x()  # d\n", "for a in b: c; new(); x()  # d\n", "for a in b: c; x(); new()  # d\n"),
    "suite with a semicolon behind": ("if a: x();\n", "if a: new(); x();\n", "if a: x(); new();\n"),
    "suite behind a backslash": ("if a: \\\n  x()\n", "if a: \\\n  new(); x()\n", "if a: \\\n  x(); new()\n"),
    "function on one row": ("def f(): x()\n", "def f(): new(); x()\n", "def f(): x(); new()\n"),
    "over rows": ("y = [\n    x(),\n]  # c\n", "new()\ny = [\n    x(),\n]  # c\n", "y = [\n    x(),\n]  # c\nnew()\n"),
    "loop's sequence": (
        "for a in x():\n    b\n    # c\nd\n",
        "new()\nfor a in x():\n    b\n    # c\nd\n",
        "for a in x():\n    b\n    # c\nnew()\nd\n",
    ),
    "block with comments and blanks at its end": (
        "if x():\n    b\n\n    # c\n\n    # d\n\n# e\nf\n",
        "new()\nif x():\n    b\n\n    # c\n\n    # d\n\n# e\nf\n",
        "if x():\n    b\n\n    # c\n\n    # d\nnew()\n\n# e\nf\n",
    ),
    "block with else": (
        "while x():\n    b\nelse:\n    c\nd\n",
        "new()\nwhile x():\n    b\nelse:\n    c\nd\n",
        "while x():\n    b\nelse:\n    c\nnew()\nd\n",
    ),
    "block at the end of the file": ("if x():\n    b", "new()\nif x():\n    b", "if x():\n    b\nnew()"),
    "block in a block": (
        "def f():\n    with x() as a:\n        b\n    # c\n",
        "def f():\n    new()\n    with x() as a:\n        b\n    # c\n",
        "def f():\n    with x() as a:\n        b\n    new()\n    # c\n",
    ),
    "decorator": (
        "# c\n@x()\n# d\n@b\ndef f():\n    pass\n",
        "# c\nnew()\n@x()\n# d\n@b\ndef f():\n    pass\n",
        "# c\n@x()\n# d\n@b\ndef f():\n    pass\nnew()\n",
    ),
    "decorated default": (
        "a\n\n# c\n@b\ndef f(d=x()): pass\n",
        "a\n\nnew()\n# c\n@b\ndef f(d=x()): pass\n",
        "a\n\n# c\n@b\ndef f(d=x()): pass\nnew()\n",
    ),
    "exception's type": (
        "try:\n    a\nexcept x():\n    b\nc\n",
        "new()\ntry:\n    a\nexcept x():\n    b\nc\n",
        "try:\n    a\nexcept x():\n    b\nnew()\nc\n",
    ),
    "asynchronous loop": (
        "async def f():\n    async for a in x():\n        b\n",
        "async def f():\n    new()\n    async for a in x():\n        b\n",
        "async def f():\n    async for a in x():\n        b\n    new()\n",
    ),
    "pattern": (
        "match x():\n    case 1:\n        b\nc\n",
        "new()\nmatch x():\n    case 1:\n        b\nc\n",
        "match x():\n    case 1:\n        b\nnew()\nc\n",
    ),
}


@pytest.mark.parametrize(("before", "expected", "_"), INSERT.values(), ids=INSERT)
def test_a_statement_is_inserted_before(before: str, expected: str, _: str) -> None:
    assert after(before, "x()", insert_before, "new()") == expected


@pytest.mark.parametrize(("before", "_", "expected"), INSERT.values(), ids=INSERT)
def test_a_statement_is_inserted_after(before: str, _: str, expected: str) -> None:
    assert after(before, "x()", insert_after, "new()") == expected


NO_PLACE = {
    "elif": ("if a:\n    b\nelif x():\n    c\n", "new()"),
    "rows into a row": ("if a: x()\n", "if b:\n    new()"),
    "block into a row": ("if a: x()\n", "if b: new()"),
    "comment into a row": ("if a: x()\n", "new()  # c"),
    "behind a backslash": ("\\\nx()\n", "new()"),
    "not a statement": ("x()\n", "new("),
    "rows of a string": ("x()\n", "a = '''\n    b'''"),
}


@pytest.mark.parametrize(("before", "text"), NO_PLACE.values(), ids=NO_PLACE)
def test_a_statement_that_cannot_stand_there_is_refused(before: str, text: str) -> None:
    with pytest.raises(Unfixable):
        after(before, "x()", insert_before, text)


def test_rows_take_the_indentation_of_the_file() -> None:
    text = "if new:\n    for a in b:\n        c(\n            d,\n        )\n\nelse:\n    e"
    assert after("if a:\n\tx()\n", "x()", insert_before, text) == (
        "if a:\n\tif new:\n\t\tfor a in b:\n\t\t\tc(\n\t\t\t\td,\n\t\t\t)\n\n\telse:\n\t\te\n\tx()\n"
    )
    assert after("if a:\r\n  x()\r\n", "x()", insert_after, "if b:\n    c") == "if a:\r\n  x()\r\n  if b:\r\n    c\r\n"


def test_two_rows_at_one_place_stand_in_order() -> None:
    file = SourceFile("x()\ny\n")
    node = find(file, "x()")
    assert fixed(file, insert_before(node, "a") + insert_before(node, "b")) == "a\nb\nx()\ny\n"
    assert fixed(file, insert_after(node, "a") + insert_after(node, "b")) == "x()\na\nb\ny\n"


DELETE = {
    "among others": ("a\nx()\nb\n", "a\nb\n"),
    "alone in the file": ("x()\n", ""),
    "no newline at the end": ("a\nx()", "a\n"),
    "alone in its block": ("if a:\n    x()\nb\n", "if a:\n    pass\nb\n"),
    "alone in its block, with a comment": ("if a:\n    # c\n    x()  # d\n", "if a:\n    # c\n    pass  # d\n"),
    "alone on the row of its block": ("if a: x()\n", "if a: pass\n"),
    "last of a block": ("if a:\n    b\n    x()\nc\n", "if a:\n    b\nc\n"),
    "over rows": ("a\nx(\n)\nb\n", "a\nb\n"),
    "comment above": ("a\n# c\nx()\nb\n", "a\n# c\nb\n"),
    "first of a row": ("x(); a\n", "a\n"),
    "in the middle of a row": ("a; x(); b\n", "a; b\n"),
    "last of a row": ("a; x()  # c\n", "a  # c\n"),
    "last of a row, semicolon behind": ("a; x();\n", "a;\n"),
    "first of a suite": ("if a: x(); b\n", "if a: b\n"),
    "last of a suite": ("if a: b; x()\n", "if a: b\n"),
    "semicolon behind": ("a\nx();\nb\n", "a\nb\n"),
    "windows newlines": ("a\r\nx()\r\nb\r\n", "a\r\nb\r\n"),
    "block": ("a\nwith x():\n    b\nc\n", "a\nc\n"),
    "block in a block": ("if a:\n    with x():\n        b\nc\n", "if a:\n    pass\nc\n"),
    "decorated": ("a\n@x()\ndef f():\n    b\nc\n", "a\nc\n"),
}


@pytest.mark.parametrize(("before", "expected"), DELETE.values(), ids=DELETE)
def test_a_statement_is_deleted(before: str, expected: str) -> None:
    file = SourceFile(before)
    fix = delete_statement(next(node for node in file.nodes(cst.Call)))
    assert fixed(file, fix) == expected
    assert not deletes_comment(file, resolve(file, fix))


@pytest.mark.parametrize(
    ("before", "expected"),
    [("a\nx()  # c\nb\n", "a\nb\n"), ("a\nx(  # c\n)\nb\n", "a\nb\n"), ("a\nwith x():\n    b\n    # c\nd\n", "a\nd\n")],
)
def test_comments_that_go_with_a_statement_are_known(before: str, expected: str) -> None:
    file = SourceFile(before)
    fix = delete_statement(file.nodes(cst.Call)[0])
    assert fixed(file, fix) == expected
    assert deletes_comment(file, resolve(file, fix))


REPLACE = {
    "row": ("a\nx()  # c\n", "new()", "a\nnew()  # c\n"),
    "rows": ("if a:\n  x()\n", "if b:\n    new()", "if a:\n  if b:\n    new()\n"),
    "one of a row": ("a; x(); b\n", "new()", "a; new(); b\n"),
    "suite": ("if a: x()\n", "new()", "if a: new()\n"),
    "block": ("with x():\n    a\nb\n", "new()", "new()\nb\n"),
    "decorated": ("@x()\ndef f(): pass\nb\n", "new()", "new()\nb\n"),
}


@pytest.mark.parametrize(("before", "text", "expected"), REPLACE.values(), ids=REPLACE)
def test_a_statement_is_replaced(before: str, text: str, expected: str) -> None:
    assert after(before, "x()", replace_statement, text) == expected


@pytest.mark.parametrize("kind", [cst.SimpleStatementLine, cst.Expr, cst.Call])
def test_a_statement_is_named_by_any_node_in_it(kind: type[cst.CSTNode]) -> None:
    assert after("a\nx()\n", "x()", insert_before, "new()", kind=kind) == "a\nnew()\nx()\n"


def test_a_row_of_statements_is_one_statement_by_its_row() -> None:
    assert after("a\nx(); y\nb\n", "x(); y", delete_statement, kind=cst.SimpleStatementLine) == "a\nb\n"


def test_a_file_is_no_statement() -> None:
    file = SourceFile("a\n")
    with pytest.raises(Unfixable):
        resolve(file, delete_statement(file.module))


# -- over the standard library ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["argparse", "contextlib", "functools", "random"])
def test_statements_of_the_standard_library_are_neighbours_in_python_too(name: str) -> None:
    """A new one before each statement, or after each, stands there for Python too; deleting all the new ones gives the text back."""
    text = inspect.getsource(importlib.import_module(name))
    file = SourceFile(text)
    statements = [node for node in file.tree.order if isinstance(node, (cst.BaseSmallStatement, cst.BaseCompoundStatement))]
    usable = [node for node in statements if not (isinstance(node, cst.If) and isinstance(file.parent(node), cst.If))]
    before = _all_at_once(file, [insert_before(node, "new") for node in usable])
    assert ast.dump(ast.parse(before)) == _doubled(text, first=True)
    behind = _all_at_once(file, [insert_after(node, "new") for node in reversed(usable)])  # where two blocks end, the inner one first
    assert ast.dump(ast.parse(behind)) == _doubled(text, first=False)
    again = SourceFile(before)
    added = [node for node in again.nodes(cst.Expr) if again.source(node) == "new"]
    assert len(added) == len(usable)
    assert _all_at_once(again, [delete_statement(node) for node in added]) == text


def _all_at_once(file: SourceFile, fixes: list[Fix]) -> str:
    return fixed(file, sum(fixes[1:], fixes[0]))


class _Doubled(ast.NodeTransformer):
    def __init__(self, *, first: bool) -> None:
        self.first = first

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and not any(getattr(each, "is_elif", False) for each in block):
                pairs = [(self._new(), each) if self.first else (each, self._new()) for each in block]
                setattr(node, field, [each for pair in pairs for each in pair])
        return node

    @staticmethod
    def _new() -> ast.stmt:
        return ast.parse("new").body[0]


def _doubled(text: str, *, first: bool) -> str:
    """What Python makes of the program with a statement `new` before (or after) every statement but `elif`."""
    tree = ast.parse(text)
    rows = text.split("\n")
    for node in ast.walk(tree):
        if isinstance(node, ast.If):
            node.is_elif = rows[node.lineno - 1][node.col_offset :].startswith("elif")
    return ast.dump(_Doubled(first=first).visit(tree))


BLOCKS = {
    # name: (before, after `x()` has become a block)
    "the rest of a function": ("def f():\n    x()\n    a\n    return b\nc\n", "def f():\n    with y:\n        a\n        return b\nc\n"),
    "the rest of a file": ("a\nx()\nb\n", "a\nwith y:\n    b\n"),
    "blocks and blank rows": (
        "x()\n\nfor a in b:\n    c\n\n    # d\n\ne\n",
        "with y:\n\n    for a in b:\n        c\n\n        # d\n\n    e\n",
    ),
    "comments": ("x()  # c\na  # d\n# e\n", "with y:  # c\n    a  # d\n# e\n"),
    "comment further out": ("if a:\n    x()\n# c\n    b\n", "if a:\n    with y:\n    # c\n        b\n"),
    "rows in brackets": ("x()\na = [\n  1,\n]\n", "with y:\n    a = [\n      1,\n    ]\n"),
    "tabs": ("if a:\n\tx()\n\tb\n", "if a:\n\twith y:\n\t\tb\n"),
    "windows newlines": ("x()\r\na\r\n", "with y:\r\n    a\r\n"),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_statement_becomes_a_block_around_what_follows(name: str) -> None:
    before, expected = BLOCKS[name]

    assert after(before, "x()", open_block, "with y:") == expected


@pytest.mark.parametrize("before", ["a\nx()\n", "x(); a\nb\n", "if a: x()\nb\n", 'x()\na = """b\nc"""\n', 'x()\na = f"""{b}\nc"""\n'])
def test_no_block_is_opened_where_it_would_hold_nothing_or_change_a_string(before: str) -> None:
    with pytest.raises(Unfixable):
        after(before, "x()", open_block, "with y:")


DECORATED = {
    "plain": ("def f():\n    pass\n", "@d()\ndef f():\n    pass\n"),
    "in a class": ("class A:\n    # c\n    def f(self):\n        pass\n", "class A:\n    # c\n    @d()\n    def f(self):\n        pass\n"),
    "decorated": ("@e\ndef f():\n    pass\n", "@e\n@d()\ndef f():\n    pass\n"),
    "asynchronous": ("async def f():\n    pass\n", "@d()\nasync def f():\n    pass\n"),
    "windows newlines": ("def f():\r\n    pass\r\n", "@d()\r\ndef f():\r\n    pass\r\n"),
}


@pytest.mark.parametrize(("before", "expected"), DECORATED.values(), ids=DECORATED)
def test_decorator_goes_below_those_that_are_there(before: str, expected: str) -> None:
    file = SourceFile(before)
    (function,) = file.nodes(cst.FunctionDef)

    assert fixed(file, decorate(function, "@d()")) == expected

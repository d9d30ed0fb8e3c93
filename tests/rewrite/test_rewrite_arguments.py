"""Edits of arguments, by cases and over the calls of the standard library."""

import ast

import libcst as cst
import pytest
from rewriting import after, find, fixed, statements_of_the_standard_library

from torchlint.rewrite import (
    Unfixable,
    deletes_comment,
    insert_argument,
    method,
    remove_argument,
    rename_keyword,
    replace_argument,
    resolve,
)
from torchlint.syntax.file import SourceFile

INSERT = {
    "no arguments": ("f()\n", "f(d=d)\n"),
    "no arguments, a space": ("f( )\n", "f(d=d)\n"),
    "no arguments, rows": ("f(\n)\n", "f(d=d)\n"),
    "no arguments, a comment": ("f(  # c\n)\n", "f(d=d  # c\n)\n"),
    "one": ("f(a)\n", "f(a, d=d)\n"),
    "keyword": ("f(a, b=c)\n", "f(a, b=c, d=d)\n"),
    "star": ("f(*a)\n", "f(*a, d=d)\n"),
    "trailing comma": ("f(a,)\n", "f(a, d=d,)\n"),
    "space inside": ("f( a )\n", "f( a, d=d )\n"),
    "generator": ("f(x for x in y)\n", "f((x for x in y), d=d)\n"),
    "generator with spaces": ("f( x for x in y )\n", "f( (x for x in y), d=d )\n"),
    "generator over rows": ("f(\n    x\n    for x in y\n)\n", "f(\n    (x\n    for x in y), d=d\n)\n"),
    "generator in its parentheses": ("f((x for x in y))\n", "f((x for x in y), d=d)\n"),
    "walrus": ("f(a := b)\n", "f(a := b, d=d)\n"),
    "lambda": ("f(lambda: a)\n", "f(lambda: a, d=d)\n"),
    "rows": ("f(\n    a,\n    b,\n)\n", "f(\n    a,\n    b,\n    d=d,\n)\n"),
    "rows without trailing comma": ("f(\n    a,\n    b\n)\n", "f(\n    a,\n    b,\n    d=d\n)\n"),
    "rows with comments": ("f(\n    a,  # c\n    b,  # e\n)\n", "f(\n    a,  # c\n    b,  # e\n    d=d,\n)\n"),
    "rows with comments, no trailing comma": ("f(\n    a,\n    b  # e\n)\n", "f(\n    a,\n    b,  # e\n    d=d\n)\n"),
    "comment below": ("f(\n    a,\n    # e\n)\n", "f(\n    a,\n    d=d,\n    # e\n)\n"),
    "one argument on a row": ("f(\n    a\n)\n", "f(\n    a,\n    d=d\n)\n"),
    "all on one row below": ("f(\n    a, b\n)\n", "f(\n    a, b, d=d\n)\n"),
    "aligned": ("f(a,\n  b)\n", "f(a,\n  b,\n  d=d)\n"),
    "aligned with a comment behind": ("f(a,\n  b)  # c\n", "f(a,\n  b,\n  d=d)  # c\n"),
    "aligned with a trailing comma": ("f(a,\n  b,)\n", "f(a,\n  b,\n  d=d,)\n"),
    "filled rows": ("f(a, b,\n  c, e)\n", "f(a, b,\n  c, e, d=d)\n"),
    "tabs": ("f(\n\ta,\n\tb,\n)\n", "f(\n\ta,\n\tb,\n\td=d,\n)\n"),
    "windows newlines": ("f(\r\n    a,\r\n)\r\n", "f(\r\n    a,\r\n    d=d,\r\n)\r\n"),
    "last argument over rows": ("f(a, [\n    b,\n])\n", "f(a, [\n    b,\n], d=d)\n"),
    "blanks before the comma": ("f(a , )\n", "f(a, d=d , )\n"),
    "in an f-string": ("f'{f(a)}'\n", "f'{f(a, d=d)}'\n"),
    "parenthesised call": ("(f(a))\n", "(f(a, d=d))\n"),
    "space before the parenthesis": ("f (a)\n", "f (a, d=d)\n"),
    "called twice": ("f(a)()\n", "f(a)(d=d)\n"),
    "no newline at the end": ("f(\n  a,\n)", "f(\n  a,\n  d=d,\n)"),
}


def outermost(before: str) -> str:
    file = SourceFile(before)
    return file.source(file.nodes(cst.Call)[0])


@pytest.mark.parametrize(("before", "expected"), INSERT.values(), ids=INSERT)
def test_a_keyword_goes_to_the_end(before: str, expected: str) -> None:
    assert after(before, outermost(before), insert_argument, "d=d", kind=cst.Call) == expected


POSITIONAL = {
    "none": ("f()\n", "f(p)\n"),
    "behind another": ("f(a)\n", "f(a, p)\n"),
    "before keywords": ("f(a, b=c)\n", "f(a, p, b=c)\n"),
    "before the only keyword": ("f(b=c)\n", "f(p, b=c)\n"),
    "before stars": ("f(a, **b)\n", "f(a, p, **b)\n"),
    "rows": ("f(\n    a,  # c\n    b=c,\n)\n", "f(\n    a,  # c\n    p,\n    b=c,\n)\n"),
}


@pytest.mark.parametrize(("before", "expected"), POSITIONAL.values(), ids=POSITIONAL)
def test_a_positional_argument_goes_behind_its_like(before: str, expected: str) -> None:
    assert after(before, outermost(before), insert_argument, "p", kind=cst.Call) == expected


NO_ROOM = {
    "keyword is there": ("f(d=1)\n", "d=d"),
    "keyword may be there": ("f(**a)\n", "d=d"),
    "position is unknown": ("f(*a)\n", "p"),
    "stars": ("f(a)\n", "*b"),
    "two": ("f(a)\n", "b, c"),
    "none": ("f(a)\n", ""),
    "not an argument": ("f(a)\n", "b c"),
    "halves of two calls": ("f(a)\n", "b), g(c"),
    "quotes of the f-string": ("f'{f(a)}'\n", "d='e'"),
    "debug f-string": ("f'{f(a)=}'\n", "d=d"),
}


@pytest.mark.parametrize(("before", "text"), NO_ROOM.values(), ids=NO_ROOM)
def test_an_argument_that_may_not_fit_is_refused(before: str, text: str) -> None:
    with pytest.raises(Unfixable):
        after(before, outermost(before), insert_argument, text, kind=cst.Call)


REMOVE = {
    "only": ("f(x)\n", "f()\n"),
    "only, trailing comma": ("f(x,)\n", "f()\n"),
    "only, rows": ("f(\n    x,\n)\n", "f()\n"),
    "only, comment above": ("f(  # c\n    x,\n)\n", "f(  # c\n    \n)\n"),
    "only, generator": ("f(x for x in y)\n", "f()\n"),
    "first": ("f(x, a)\n", "f(a)\n"),
    "first of rows": ("f(\n    x,\n    a,\n)\n", "f(\n    a,\n)\n"),
    "in the middle": ("f(a, x, b)\n", "f(a, b)\n"),
    "last": ("f(a, x)\n", "f(a)\n"),
    "last, blanks around the comma": ("f(a , x)\n", "f(a)\n"),
    "last, trailing comma": ("f(a, x,)\n", "f(a,)\n"),
    "last of rows": ("f(\n    a,\n    x\n)\n", "f(\n    a\n)\n"),
    "last of rows, trailing comma": ("f(\n    a,\n    x,\n)\n", "f(\n    a,\n)\n"),
    "last of rows, comment on the other": ("f(\n    a,  # c\n    x\n)\n", "f(\n    a  # c\n)\n"),
    "last of rows, trailing comma, comment on the other": ("f(\n    a,  # c\n    x,\n)\n", "f(\n    a,  # c\n)\n"),
    "last of rows, its own comment": ("f(\n    a,\n    x,  # c\n)\n", "f(\n    a,  # c\n)\n"),
    "last of rows, comment on the other, closed at once": ("f(\n    a,  # c\n    x)\n", "f(\n    a  # c\n    )\n"),
    "last of rows, comments on both": ("f(\n    a,  # c\n    x,  # d\n)\n", "f(\n    a,  # c\n      # d\n)\n"),
    "windows newlines": ("f(\r\n    a,  # c\r\n    x\r\n)\r\n", "f(\r\n    a  # c\r\n)\r\n"),
    "aligned": ("f(a,\n  x)\n", "f(a)\n"),
}


def argument_x(file: SourceFile) -> cst.Arg:
    return next(each for each in file.nodes(cst.Arg) if file.source(each).startswith("x"))


@pytest.mark.parametrize(("before", "expected"), REMOVE.values(), ids=REMOVE)
def test_an_argument_is_removed_with_its_comma(before: str, expected: str) -> None:
    file = SourceFile(before)
    fix = remove_argument(argument_x(file))
    assert fixed(file, fix) == expected
    assert not deletes_comment(file, resolve(file, fix))


def test_the_comment_behind_a_removed_argument_is_known_to_go() -> None:
    file = SourceFile("f(\n    x,  # about x\n    a,\n)\n")
    fix = remove_argument(argument_x(file))
    assert fixed(file, fix) == "f(\n    a,\n)\n"
    assert deletes_comment(file, resolve(file, fix))


def test_a_base_class_is_no_argument() -> None:
    file = SourceFile("class A(x): pass\n")
    for fix in (remove_argument(argument_x(file)), replace_argument(argument_x(file), "y")):
        with pytest.raises(Unfixable):
            resolve(file, fix)


REPLACE = {
    "positional": ("f(x)\n", "y=1", "f(y=1)\n"),
    "keyword": ("f(a, xa=1, b=2)\n", "y=1", "f(a, y=1, b=2)\n"),
    "generator": ("f(x for x in y)\n", "z", "f(z)\n"),
    "its own keyword": ("f(xa=1)\n", "xa=2", "f(xa=2)\n"),
}


@pytest.mark.parametrize(("before", "text", "expected"), REPLACE.values(), ids=REPLACE)
def test_an_argument_is_replaced(before: str, text: str, expected: str) -> None:
    file = SourceFile(before)
    assert fixed(file, replace_argument(argument_x(file), text)) == expected


def test_a_keyword_is_renamed() -> None:
    file = SourceFile("f(a, x = 1)\n")
    assert fixed(file, rename_keyword(argument_x(file), "y")) == "f(a, y = 1)\n"


@pytest.mark.parametrize("text", ["f(x=1, y=2)\n", "f(x)\n"])
def test_a_keyword_cannot_be_renamed_to_another_or_out_of_nothing(text: str) -> None:
    file = SourceFile(text)
    with pytest.raises(Unfixable):
        resolve(file, rename_keyword(argument_x(file), "y"))


def test_an_argument_moves_into_the_constructor() -> None:
    """The two builders that make `torch.zeros(2, device=d)` of `torch.zeros(2).to(d)` stand beside each other."""
    from torchlint.rewrite import unwrap_method

    file = SourceFile("x = torch.zeros().to(d)\n")
    fix = insert_argument(find(file, "torch.zeros()", cst.Call), "device=d") + unwrap_method(find(file, "torch.zeros().to(d)", cst.Call))
    assert fixed(file, fix) == "x = torch.zeros(device=d)\n"


# -- over the standard library ------------------------------------------------------------------------------------------


def keywords_by_call(text: str) -> list[list[str | None]]:
    return [[keyword.arg for keyword in node.keywords] for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]


def test_every_call_of_the_standard_library_takes_one_more_argument() -> None:
    """Python sees the keyword in the one call, at its end, and the argument put in and taken out leaves the tree as it was."""
    compared = 0
    for statement in statements_of_the_standard_library():
        file = SourceFile(statement)
        for call in file.nodes(cst.Call):
            try:
                text = fixed(file, insert_argument(call, "new=value"))
            except Unfixable:
                assert any(each.star == "**" for each in call.args) or any(
                    isinstance(each, cst.FormattedString) for each in file.ancestors(call)
                )
                continue
            before, now = keywords_by_call(statement), keywords_by_call(text)
            changed = [(old, new) for old, new in zip(before, now, strict=True) if old != new]
            assert len(changed) == 1
            assert changed[0][1] == [*changed[0][0], "new"]
            again = SourceFile(text)
            added = next(each for each in again.nodes(cst.Arg) if each.keyword and each.keyword.value == "new")
            assert ast.dump(ast.parse(fixed(again, remove_argument(added)))) == ast.dump(ast.parse(statement))
            compared += 1
    assert compared > 500


def test_every_argument_of_the_standard_library_can_be_removed() -> None:
    compared = 0
    for statement in statements_of_the_standard_library():
        file = SourceFile(statement)
        for argument in file.nodes(cst.Arg):
            if isinstance(file.parent(argument), cst.Call) and not any(
                isinstance(each, cst.FormattedString) for each in file.ancestors(argument)
            ):
                text = fixed(file, remove_argument(argument))
                assert _arguments(text) == _arguments(statement) - 1 - _arguments(file.source(argument.value))
                compared += 1
    assert compared > 500


def _arguments(text: str) -> int:
    module = SourceFile(f"({text})\n" if text.strip() == text else text)
    return sum(isinstance(module.parent(each), cst.Call) for each in module.nodes(cst.Arg))


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("d=e := b", "d=(e := b)"),
        ("d=(e := b)", "d=(e := b)"),
        ("e := b", "e := b"),
        ("x for x in y", "(x for x in y)"),
        ("d=x for x in y", "d=(x for x in y)"),
        ("d=lambda: e", "d=lambda: e"),
        ("d=yield", "d=(yield)"),
        ("d=e == b", "d=e == b"),
    ],
)
def test_an_argument_is_parenthesised_where_it_could_not_stand_among_others(given: str, written: str) -> None:
    assert after("f(a)\n", "f(a)", insert_argument, given) == f"f(a, {written})\n"
    assert after("f(a, c)\n", "c", replace_argument, given, kind=cst.Arg) == f"f(a, {written})\n"
    assert after("a\n", "a", method, "f", "c", given) == f"a.f(c, {written})\n"

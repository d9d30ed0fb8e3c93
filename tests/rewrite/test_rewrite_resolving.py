"""What holds for the edits of a fix whoever built them."""

import libcst as cst
import pytest
from rewriting import find, fixed

from torchlint.edits import Edit
from torchlint.rewrite import Unfixable, delete_statement, deletes_comment, method, replace, resolve, unwrap_method
from torchlint.rule import Fix
from torchlint.syntax.file import SourceFile


def fix(*edits: tuple[int, int, str]) -> Fix:
    return Fix((lambda file: [Edit(*edit) for edit in edits],))


def test_edits_are_sorted_and_those_that_change_nothing_left_out() -> None:
    file = SourceFile("a = b\n")
    assert resolve(file, fix((4, 5, "c"), (0, 1, "a"), (2, 3, "+="))) == (Edit(2, 3, "+="), Edit(4, 5, "c"))
    assert resolve(file, fix((0, 1, "a"))) == ()


def test_nothing_is_computed_before_the_fix_is_resolved() -> None:
    file = SourceFile("a = b\n")
    built = method(file.tree.names["b"][0], "d")
    assert "positions" not in vars(file)
    assert fixed(file, built) == "a = b.d()\n"


def test_an_edit_asked_for_twice_is_made_once() -> None:
    file = SourceFile("a = b\n")
    node = find(file, "b")
    assert fixed(file, method(node, "d") + method(node, "d")) == "a = b.d()\n"


@pytest.mark.parametrize(
    "edits",
    [
        ((0, 3, "x"), (2, 4, "y")),
        ((2, 2, "x"), (2, 2, "y")),
        ((0, 2, "x"), (2, 2, "y")),
        ((0, 3, ""), (1, 1, "y")),
    ],
)
def test_edits_that_meet_are_refused(edits: tuple[tuple[int, int, str], ...]) -> None:
    with pytest.raises(Unfixable):
        resolve(SourceFile("abcdef\n"), fix(*edits))


def test_a_replacement_and_a_method_on_the_same_expression_are_refused() -> None:
    file = SourceFile("a = b\n")
    node = find(file, "b")
    with pytest.raises(Unfixable):
        resolve(file, replace(node, "c + d") + method(node, "d"))


def test_an_insertion_may_stand_beside_a_deletion() -> None:
    file = SourceFile("a = b.c()\n")
    assert fixed(file, method(find(file, "b"), "d") + unwrap_method(find(file, "b.c()", cst.Call))) == "a = b.d()\n"


STRINGS = {
    "expression": ("f'{a}'\n", (3, 4, "bb"), True),
    "other quotes": ("f'{a}'\n", (3, 4, 'b["c"]'), True),
    "its own quotes": ("f'{a}'\n", (3, 4, "b['c']"), False),
    "quotes of a longer kind": ("f'''{a}'''\n", (5, 6, "b['c']"), False),
    "comment": ("f'''{a}'''\n", (5, 6, "b#"), False),
    "whole string": ("x = f'{a}'\n", (4, 10, "f'{b}' + 'c'"), True),
    "beside the string": ("x = f'{a}'\n", (10, 10, " + 'c'"), True),
    "debug": ("f'{a=}'\n", (3, 4, "b"), False),
    "nested debug": ("f'{a:{b=}}'\n", (6, 7, "c"), False),
    "beside debug": ("f'{a} {b=}'\n", (3, 4, "c"), True),
    "brace": ("f'{a}'\n", (3, 4, "{1}"), False),
    "brace apart": ("f'{ a}'\n", (4, 5, "{1}"), True),
    "plain string": ("'{a}'\n", (2, 3, "'"), True),
}


@pytest.mark.parametrize(("text", "edit", "fits"), STRINGS.values(), ids=STRINGS)
def test_an_edit_in_an_f_string_must_be_one_that_every_python_reads(text: str, edit: tuple[int, int, str], fits: bool) -> None:
    file = SourceFile(text)
    if fits:
        assert resolve(file, fix(edit)) == (Edit(*edit),)
    else:
        with pytest.raises(Unfixable):
            resolve(file, fix(edit))


COMMENTS = {
    "inserted beside": ("a  # c\n", (1, 1, "b"), False),
    "inserted inside": ("a  # c\n", (5, 5, "b"), False),
    "row deleted": ("a  # c\n", (0, 7, ""), True),
    "part of it deleted": ("a  # c\n", (0, 4, ""), True),
    "kept in the new text": ("a  # c\n", (0, 6, "b  # c"), False),
    "up to it": ("a  # c\n", (0, 3, "b"), False),
    "behind it": ("a  # c\nb\n", (6, 8, ""), False),
    "not a comment": ("a = '# c'\n", (4, 9, "b"), False),
}


@pytest.mark.parametrize(("text", "edit", "deleted"), COMMENTS.values(), ids=COMMENTS)
def test_a_comment_that_would_go_is_noticed(text: str, edit: tuple[int, int, str], deleted: bool) -> None:
    assert deletes_comment(SourceFile(text), [Edit(*edit)]) is deleted


def test_a_fix_whose_rewrite_cannot_be_made_is_refused_as_a_whole() -> None:
    file = SourceFile("a = b\n")
    with pytest.raises(Unfixable):
        resolve(file, method(find(file, "b"), "d") + method(find(file, "a"), "d"))
    assert fixed(file, delete_statement(find(file, "b"))) == ""

"""Edits of a call's arguments: commas, rows and the order of positional and keyword arguments are kept right.

A comment stays with the argument that it follows, and a call with one argument per row stays so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from torchlint.edits import Edit
from torchlint.rewrite.resolving import Unfixable, builder
from torchlint.rewrite.rows import indent, row_end, row_start
from torchlint.rewrite.slots import argument as fitted_argument
from torchlint.rule import Rewrite
from torchlint.syntax.file import SourceFile

_OPENING = re.compile(r"(?:[ \t\f\r\n\\]|#[^\r\n]*)*\(")
"""What leads from a function to its arguments."""


@builder
def insert_argument(call: cst.Call, given: str, *further: str) -> Rewrite:
    """One more argument, written as in a call: keywords come last (`"device=device"`), others behind the positional ones.

    `further` are keyword arguments that come along with it.

    Refused where the call may already pass it: the keyword is there, or `**` might hold it, or `*` makes positions uncertain.
    """

    def edits(file: SourceFile) -> Iterator[Edit]:
        text, added = _argument(given)
        _check_room(call, added)
        for each in further:
            more, keyword = _argument(each)
            _check_room(call, keyword)
            text += f", {more}"
        following = None if added.keyword else next((each for each in call.args if each.keyword or each.star), None)
        if not call.args:
            yield _only(file, call, text)
        elif following:
            yield _ahead_of(file, following, text)
        else:
            yield from _at_the_end(file, call.args[-1], text)

    return edits


@builder
def lead_argument(call: cst.Call, given: str, names: Sequence[str]) -> Rewrite:
    """An argument ahead of all others; what was passed by position before is passed by these names, one for each place.

    Refused where `*` makes positions uncertain.
    """

    def edits(file: SourceFile) -> Iterator[Edit]:
        text, _ = _argument(given)
        if any(each.star == "*" for each in call.args):
            raise Unfixable("`*` passes an unknown number of arguments")
        positional = [each for each in call.args if each.keyword is None and not each.star]
        if len(positional) > len(names):
            raise Unfixable("more arguments than there are names for")
        if not call.args:
            yield _only(file, call, text)
            return
        keywords = [*(f"{name}=" for name in names[: len(positional)]), ""]
        front = _ahead_of(file, call.args[0], text)
        yield Edit(front.start, front.end, front.content + keywords[0])
        for argument, keyword in zip(positional[1:], keywords[1:], strict=False):
            start = file.span(argument)[0]
            yield Edit(start, start, keyword)

    return edits


@builder
def name_argument(argument: cst.Arg, name: str) -> Rewrite:
    """The keyword for an argument that was passed by position: `f(1)` becomes `f(name=1)`."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        if argument.keyword is not None or argument.star or any(each.star == "*" for each in _call(file, argument).args):
            raise Unfixable("not an argument that is passed by position")
        if any(each.keyword and each.keyword.value == name for each in _call(file, argument).args):
            raise Unfixable(f"the call already has `{name}`")
        start = file.span(argument)[0]
        yield Edit(start, start, f"{name}=")

    return edits


@builder
def remove_argument(argument: cst.Arg) -> Rewrite:
    """The call without this argument, its comma and, if it stood alone there, its row."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        call = _call(file, argument)
        place = next(place for place, each in enumerate(call.args) if each is argument)
        if len(call.args) == 1:
            yield _without_only(file, call)
        elif place + 1 < len(call.args):
            yield Edit(file.span(argument)[0], file.span(call.args[place + 1])[0], "")
        else:
            yield from _without_last(file, call.args[-2], argument)

    return edits


@builder
def replace_argument(argument: cst.Arg, given: str) -> Rewrite:
    """Another argument in the place of this one, keyword and stars included: `"device=device"`."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        call = _call(file, argument)
        text, added = _argument(given)
        keyword = added.keyword
        if keyword and any(each is not argument and each.keyword and each.keyword.value == keyword.value for each in call.args):
            raise Unfixable(f"the call already has `{keyword.value}`")
        yield Edit(*file.span(argument), text)

    return edits


@builder
def rename_keyword(argument: cst.Arg, name: str) -> Rewrite:
    """Another name for a keyword argument: `f(old=1)` becomes `f(name=1)`."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        if argument.keyword is None:
            raise Unfixable("not a keyword argument")
        if any(each.keyword and each.keyword.value == name for each in _call(file, argument).args):
            raise Unfixable(f"the call already has `{name}`")
        yield Edit(*file.span(argument.keyword, argument), name)

    return edits


def _argument(given: str) -> tuple[str, cst.Arg]:
    """The argument as it is to be written, and as syntax."""
    text = fitted_argument(given)
    call = cst.ensure_type(cst.parse_expression(f"f({text})"), cst.Call)
    return text, call.args[0]


def _call(file: SourceFile, argument: cst.Arg) -> cst.Call:
    call = file.parent(argument)
    if not isinstance(call, cst.Call):
        raise Unfixable("not an argument of a call")
    return call


def _check_room(call: cst.Call, added: cst.Arg) -> None:
    if added.star:
        raise Unfixable("what a starred argument holds is unknown")
    for each in call.args:
        if added.keyword and each.star == "**":
            raise Unfixable(f"`**` may already pass `{added.keyword.value}`")
        if added.keyword and each.keyword and each.keyword.value == added.keyword.value:
            raise Unfixable(f"the call already has `{added.keyword.value}`")
        if not added.keyword and each.star == "*":
            raise Unfixable("`*` passes an unknown number of arguments")


def _between(file: SourceFile, call: cst.Call) -> tuple[int, int]:
    """What stands between the parentheses of a call."""
    opened = _OPENING.match(file.text, file.positions.full_span(call.func)[1])
    if opened is None:
        raise Unfixable("its parentheses are not where they should be")
    return opened.end(), file.span(call)[1] - 1


def _has_comment(file: SourceFile, start: int, end: int) -> bool:
    return "#" in file.text[start:end] and any(start <= comment < end for comment, _ in file.positions.comments)


def _only(file: SourceFile, call: cst.Call, text: str) -> Edit:
    """An argument between empty parentheses; the blanks there give way to it, comments do not."""
    start, end = _between(file, call)
    return Edit(start, start if _has_comment(file, start, end) else end, text)


def _ahead_of(file: SourceFile, following: cst.Arg, text: str) -> Edit:
    """An argument ahead of another, on its own row if the other has one."""
    start = file.span(following)[0]
    blanks = indent(file.text, start)
    separator = ", " if blanks is None else f",{file.module.default_newline}{blanks}"
    return Edit(start, start, f"{text}{separator}")


def _at_the_end(file: SourceFile, last: cst.Arg, text: str) -> Iterator[Edit]:
    """An argument behind the last one; a trailing comma and the comment behind it stay where they are."""
    start, end = file.span(last)
    blanks = indent(file.text, start)
    if isinstance(last.value, cst.GeneratorExp) and not last.value.lpar and not last.keyword and not last.star:
        yield Edit(start, start, "(")
        yield Edit(end, end, f"), {text}")
    elif blanks is None:
        yield Edit(end, end, f", {text}")
    else:
        row = f"{file.module.default_newline}{blanks}{text}"
        comma = file.span(last.comma, last)[1] if isinstance(last.comma, cst.Comma) else None
        behind = _behind_comment(file.text, comma or end)
        if comma:
            yield Edit(behind, behind, f"{row},")
        elif behind == end:
            yield Edit(end, end, f",{row}")
        else:
            yield Edit(end, end, ",")
            yield Edit(behind, behind, row)


def _behind_comment(text: str, offset: int) -> int:
    """The end of the row if only a comment follows there; else the offset itself."""
    end = row_end(text, offset)
    return end if text[offset:end].lstrip().startswith("#") else offset


def _without_only(file: SourceFile, call: cst.Call) -> Edit:
    start, end = _between(file, call)
    if not _has_comment(file, start, end):
        return Edit(start, end, "")
    argument = call.args[0]
    last = argument.comma if isinstance(argument.comma, cst.Comma) else argument
    return Edit(file.span(argument)[0], file.span(last, argument)[1], "")


def _without_last(file: SourceFile, previous: cst.Arg, argument: cst.Arg) -> Iterator[Edit]:
    """The comma to go is the one before the argument, unless it has its own; a comment between the two stays."""
    if not isinstance(previous.comma, cst.Comma):
        raise Unfixable("no comma before the argument")
    comma, before = file.span(previous.comma, previous), file.span(previous)[1]
    start, end = file.span(argument)
    if isinstance(argument.comma, cst.Comma):
        end, before, comma = file.span(argument.comma, argument)[1], comma[1], (comma[1], comma[1])
    if not _has_comment(file, before, start):
        yield Edit(before, end, "")
    else:
        yield Edit(*comma, "")
        if not file.text[end : row_end(file.text, end)].strip():  # else what follows would end up in the comment
            start = row_start(file.text, start) - len(_newline_before(file.text, start))
        yield Edit(start, end, "")


def _newline_before(text: str, offset: int) -> str:
    """The newline that ends the row before that of this character."""
    start = row_start(text, offset)
    return "\r\n" if text.endswith("\r\n", 0, start) else text[start - 1 : start]

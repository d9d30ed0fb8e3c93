"""Findings as JSON and back. Whatever is not what was written raises `ValueError`: it comes from a file that anybody may have changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from torchlint.diagnostic import Diagnostic, Location, Related, Severity
from torchlint.edits import Applicability, Edit, Effect, ResolvedFix
from torchlint.program.outline import read


def written(diagnostics: Sequence[Diagnostic]) -> str:
    return json.dumps([_plain(each) for each in diagnostics], separators=(",", ":")) if diagnostics else ""


def findings(text: str) -> tuple[Diagnostic, ...]:
    try:
        return tuple(map(_diagnostic, json.loads(text))) if text else ()
    except (TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _plain(each: Diagnostic) -> list[Any]:
    return [
        *(each.code, each.name, each.message, each.help, int(each.severity), _place(each.location), _place(each.end_location), each.rows),
        _fix(each.fix),
        [[other.message, _place(other.location), _place(other.end_location), other.path] for other in each.related],
        [_fix(other) for other in each.alternatives],
    ]


def _place(location: Location) -> list[int]:
    return [location.row, location.column]


def _fix(fix: ResolvedFix | None) -> list[Any] | None:
    if fix is None:
        return None
    return [[[edit.start, edit.end, edit.content] for edit in fix.edits], int(fix.applicability), fix.effect.value, fix.message]


def _diagnostic(plain: Any) -> Diagnostic:
    code, name, message, help, severity, start, end, rows, fix, related, alternatives = plain
    return Diagnostic(
        *(_text(code), _text(name), _text(message), None if help is None else _text(help), Severity(severity)),
        *(_location(start), _location(end), tuple(map(_number, rows))),
        None if fix is None else _resolved(fix),
        tuple(map(_related, related)),
        tuple(map(_resolved, alternatives)),
    )


def _related(plain: Any) -> Related:
    message, start, end, path = plain
    # The text is part of what the finding rests on, so it is the same as it was.
    return Related(_text(message), _location(start), _location(end), *(() if path is None else (_text(path), read(path)[0])))


def _resolved(plain: Any) -> ResolvedFix:
    edits, applicability, effect, message = plain
    found = tuple(Edit(_number(start), _number(end), _text(content)) for start, end, content in edits)
    return ResolvedFix(found, Applicability(applicability), Effect(effect), _text(message))


def _location(plain: Any) -> Location:
    row, column = plain
    return Location(_number(row), _number(column))


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value

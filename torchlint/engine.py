"""The heart: text in, findings out; text in, fixed text out. Pure: no files, no processes, no printing.

A rule that raises becomes a TL000 finding and the other rules still run; text that is not Python becomes TL001.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from time import process_time

import libcst as cst

from torchlint import baseline, suppress
from torchlint.diagnostic import Diagnostic, Location, Related
from torchlint.edits import Applicability, Edit, Effect, ResolvedFix, apply, is_rows
from torchlint.model import FileModel
from torchlint.program.analysis import FileAnalysis
from torchlint.program.project import Project
from torchlint.rewrite import Unfixable, deletes_comment, resolve
from torchlint.rule import Finding, Fix, Rule
from torchlint.selection import INTERNAL_ERROR, SYNTAX_ERROR, UNUSED_SUPPRESSION, asked_for, enabled_codes, enabled_rules, fix_applicability
from torchlint.settings import Settings
from torchlint.sources.reading import declared_encoding
from torchlint.syntax import cells
from torchlint.syntax.file import SourceFile
from torchlint.syntax.nesting import with_room
from torchlint.syntax.parsing import Unreadable, parse

_ROUNDS = 20
_MARK = "\ufeff"
"""A byte-order mark that was decoded together with the text. It is no character of any row."""

Timings = MutableMapping[str, float]
_UNTIMED = nullcontext()


@dataclass(frozen=True, slots=True)
class Fixed:
    """What `fix` leaves."""

    text: str
    applied: tuple[Diagnostic, ...]
    """The findings that were fixed, as they stood in the round that fixed them."""
    remaining: tuple[Diagnostic, ...]


def lint(
    text: str,
    settings: Settings | None = None,
    *,
    path: str = "<text>",
    project: Project | None = None,
    known: frozenset[str] = frozenset(),
    timings: Timings | None = None,
) -> list[Diagnostic]:
    """Every finding in the text, in document order, but those that a baseline knows by these fingerprints.

    Seconds per phase and rule are added to `timings` where it is given.
    """
    body = text.removeprefix(_MARK)
    wanted = settings or Settings()
    try:
        found = with_room(lambda: _linted(body, wanted, path, project, timings))
    except RecursionError:  # since Python 3.12 no stack is large enough for what calls itself through C
        message = "this file is nested too deeply to be read by this Python"
        found = [_of_tool(SYNTAX_ERROR, message, Location(1, 1))] if SYNTAX_ERROR.code in enabled_codes(wanted, path) else []
    if known:
        found = baseline.unknown(body, found, known)
    return [_behind_mark(each) for each in found] if body != text else found


def _linted(text: str, settings: Settings, path: str, project: Project | None, timings: Timings | None) -> list[Diagnostic]:
    clock = _Clock(timings)
    says = _Says(text)
    rules = tuple(rule for rule in enabled_rules(settings, path, text) if any(map(says.__getitem__, rule.mentions)))
    codes = enabled_codes(settings, path, text)
    try:
        with clock.phase("parse"):
            parsed = project.parsed(path, text) if project is not None else None
            file = FileAnalysis(text, settings, path=path, imports=project, parsed=parsed, evaluating=lambda: clock.phase("evaluate"))
    except Unreadable as error:
        message = f"this file is not valid Python: {error}"
        return [_of_tool(SYNTAX_ERROR, message, Location(error.row, error.column))] if SYNTAX_ERROR.code in codes else []
    with clock.phase("model"):
        file.names  # noqa: B018  the walk and the names are the model's fixed cost; what rules ask for is theirs
    try:
        if rules:
            with clock.phase("evaluate"):
                file.evaluate()
        model, may_be_suppressed = FileModel(file), suppress.is_possible_in(text)
        found = [diagnostic for rule in rules for diagnostic in _run(rule, model, settings, clock, may_be_suppressed=may_be_suppressed)]
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001  rules are not asked about what was read by half; the user is told
        found = [_of_tool(INTERNAL_ERROR, f"this file could not be read to its end: {_account(error)}", Location(1, 1))]
    file.release()
    with clock.phase("suppressions"):
        return [_allowed(each, settings) for each in suppress.apply(text, found, codes) if each.is_told]


def fix(
    text: str,
    settings: Settings | None = None,
    *,
    path: str = "<text>",
    project: Project | None = None,
    applicability: Applicability = Applicability.SAFE,
    known: frozenset[str] = frozenset(),
    timings: Timings | None = None,
) -> Fixed:
    """Apply every fix of at least this applicability, and lint again, until nothing is left to apply.

    A fix that would leave text that does not parse, or that declares another encoding, is never taken; its finding stays. What a baseline
    knows is left alone.
    """
    body = text.removeprefix(_MARK)
    fixed = with_room(lambda: _fixed(body, settings or Settings(), path, project, applicability, known, timings))
    if body == text:
        return fixed
    return Fixed(_MARK + fixed.text, fixed.applied, tuple(_behind_mark(each) for each in fixed.remaining))


def _fixed(
    text: str,
    settings: Settings,
    path: str,
    project: Project | None,
    applicability: Applicability,
    known: frozenset[str],
    timings: Timings | None,
) -> Fixed:
    applied: list[Diagnostic] = []
    refused: set[ResolvedFix] = set()
    found = lint(text, settings, path=path, project=project, known=known, timings=timings)
    for _ in range(_ROUNDS):
        wanted = {each.fix for each in found if each.fix is not None and each.fix.applicability >= applicability} - refused
        changed, taken = apply(text, wanted)
        if not taken or changed == text:
            break
        if not _stands(changed, text):
            refused.update([each for each in taken if not _stands(apply(text, [each])[0], text)] or taken)
            continue
        applied += [each for each in found if each.fix in taken]
        refused.clear()  # their positions were those of the old text
        text = changed
        found = lint(text, settings, path=path, project=project, known=known, timings=timings)
    return Fixed(text, tuple(applied), tuple(found))


# -- one file ------------------------------------------------------------------------------------------------------------


def _behind_mark(diagnostic: Diagnostic) -> Diagnostic:
    """The finding with its edits in a text that begins with a byte-order mark."""
    first, *others = (_moved(each) for each in (diagnostic.fix, *diagnostic.alternatives))
    return replace(diagnostic, fix=first, alternatives=tuple(each for each in others if each is not None))


def _moved(fix: ResolvedFix | None) -> ResolvedFix | None:
    if fix is None:
        return None
    return replace(fix, edits=tuple(Edit(each.start + len(_MARK), each.end + len(_MARK), each.content) for each in fix.edits))


def _stands(changed: str, text: str) -> bool:
    """Whether the changed text is Python, in the encoding that it declared before, and of as many cells."""
    try:
        parse(changed)
    except Unreadable:
        return False
    return declared_encoding(changed) == declared_encoding(text) and cells.order(changed) == cells.order(text)


def _of_tool(rule: Rule, message: str, location: Location) -> Diagnostic:
    return Diagnostic(rule.code, rule.name, message, None, rule.severity, location, location, (location.row,))


def _allowed(diagnostic: Diagnostic, settings: Settings) -> Diagnostic:
    """The settings say how far the fix of an unused suppression may go, as they do for every other fix."""
    if diagnostic.code != UNUSED_SUPPRESSION.code or diagnostic.fix is None:
        return diagnostic
    level = fix_applicability(settings, UNUSED_SUPPRESSION, diagnostic.fix.applicability)
    return replace(diagnostic, fix=replace(diagnostic.fix, applicability=level) if level is not None else None)


def _run(rule: Rule, file: FileModel, settings: Settings, clock: _Clock, *, may_be_suppressed: bool) -> Iterator[Diagnostic]:
    """The findings of one rule, located; if it raises, a finding that says so. Those that are not told are of use to suppressions alone."""
    try:
        with clock.phase(rule.code):
            asked = rule.code in asked_for(settings)
            findings = [each for each in rule.check(file) if asked or not each.is_for_askers or may_be_suppressed]
        if not findings:
            return
        with clock.phase("spans"):
            found = [_locate(rule, finding, file.analysis, settings, is_told=asked or not finding.is_for_askers) for finding in findings]
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a rule does wrong, the others still run and the user is told
        message = f"the rule {rule.code} ({rule.name}) failed on this file: {_account(error)}"
        found = [_of_tool(INTERNAL_ERROR, message, Location(1, 1))]
    yield from found


def _account(error: Exception) -> str:
    """What went wrong in code of ours, and where."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    reason = f"{type(error).__name__}: {error}".split("\n")[0]
    return f"{reason} (in {frame.name}, line {frame.lineno} of its code); please report it"


def _locate(rule: Rule, finding: Finding, file: FileAnalysis, settings: Settings, *, is_told: bool) -> Diagnostic:
    """A finding with all that is told of it; of one that is not, its place is known, so that a comment may suppress it."""
    start, end = file.span(finding.node)
    location, end_location = _location(file, start), _location(file, end)
    return Diagnostic(
        rule.code,
        rule.name,
        finding.message,
        finding.help,
        rule.severity,
        location,
        end_location,
        _rows(file, finding.node, location, end_location),
        _resolve(rule, finding, finding.fix, file, settings) if is_told else None,
        tuple(_related(*each, file=file) for each in finding.related if is_told),
        tuple(found for each in finding.alternatives if is_told and (found := _resolve(rule, finding, each, file, settings)) is not None),
        is_told,
    )


def _related(node: cst.CSTNode, message: str, other: SourceFile | None = None, *, file: SourceFile) -> Related:
    home = file if other is None else other
    start, end = (_location(home, offset) for offset in home.span(node))
    return Related(message, start, end) if home is file else Related(message, start, end, home.path, home.text)


def _location(file: SourceFile, offset: int) -> Location:
    return Location(*file.positions.location(offset))


def _rows(file: FileAnalysis, node: cst.CSTNode, start: Location, end: Location) -> tuple[int, ...]:
    """The rows of the finding and of the statement around it; of a compound statement, only its header."""
    rows = set(range(start.row, end.row + 1)) if not isinstance(node, cst.BaseCompoundStatement) else {start.row}
    statement = file.statement(node)
    if isinstance(statement, cst.SimpleStatementLine):
        first, last = (_location(file, offset).row for offset in file.span(statement))
        rows.update(range(first, last + 1))
    return tuple(sorted(rows))


def _resolve(rule: Rule, finding: Finding, fix: Fix | None, file: FileAnalysis, settings: Settings) -> ResolvedFix | None:
    """A fix of a finding as edits, at the level that the rule, the fix and the settings allow; None where it cannot be written."""
    if fix is None:
        return None
    try:
        edits = resolve(file, fix)
    except Unfixable:
        return None
    if not edits or rule.fix is None or not all(file.parsed.is_its_own(edit.content) for edit in edits):
        return None
    if any(cells.is_touched(file.text, edit.start, edit.end) for edit in edits if not is_rows(edit)):
        return None
    level = rule.fix if fix.applicability is None else min(rule.fix, fix.applicability)
    if level is Applicability.SAFE and deletes_comment(file, edits):
        level = Applicability.UNSAFE
    allowed = fix_applicability(settings, rule, level)
    if allowed is None:
        return None
    return ResolvedFix(edits, allowed, rule.effect or Effect.KEEPS, fix.message or finding.help or rule.title)


class _Says(dict[str, bool]):
    """Whether a text has a word, looked for once: many rules ask for the same ones, and most stand nowhere in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._pieces = " ".join(set(text.split()))
        """What stands between blanks, each piece once: half of the text, and all words in it that have no blank in them."""

    def __missing__(self, word: str) -> bool:
        found = word in (self._pieces if word.split() == [word] else self._text)
        if not found and word.endswith("("):
            found = f"{word[:-1]} (" in self._text  # `batch.cuda (0)`
        self[word] = found
        return found


class _Clock:
    """Adds up seconds per phase, where somebody wants to know. A phase within another one is counted for itself alone."""

    def __init__(self, timings: Timings | None) -> None:
        self._timings = timings
        self._current: str | None = None
        self._since = 0.0

    def phase(self, name: str) -> AbstractContextManager[None]:
        if self._timings is None or name == self._current:  # to ask for the time is dear, and passes call for passes
            return _UNTIMED
        return self._timed(name, self._timings)

    @contextmanager
    def _timed(self, name: str, timings: Timings) -> Iterator[None]:
        outer = self._current
        self._turn_to(name, timings)
        try:
            yield
        finally:
            self._turn_to(outer, timings)

    def _turn_to(self, name: str | None, timings: Timings) -> None:
        now = process_time()
        if self._current is not None:
            timings[self._current] = timings.get(self._current, 0.0) + now - self._since
        self._current, self._since = name, now


__all__ = ["Fixed", "fix", "lint"]

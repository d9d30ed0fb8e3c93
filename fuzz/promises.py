"""What torchlint promises of a text of Python, whatever stands in it: each promise is held by running the linter and comparing."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property
from random import Random

from torchlint import suppress
from torchlint.diagnostic import Diagnostic, Location
from torchlint.edits import Applicability, Edit, ResolvedFix, apply
from torchlint.engine import fix, lint
from torchlint.rule import load_rules
from torchlint.selection import OWN_RULES, all_rules
from torchlint.settings import Settings
from torchlint.syntax.parsing import Unreadable, parse

ROUNDS = 3
_NEWLINE = re.compile(r"\r\n|\r|\n")
_OWN = frozenset(rule.code for rule in OWN_RULES)
Held = Iterator[str]
"""What is wrong, a line each; nothing where the promise is kept."""


class Trial:
    """One text, and what was found in it."""

    def __init__(self, text: str, settings: Settings, random: Random) -> None:
        self.text = text
        self.settings = settings
        self.random = random

    @cached_property
    def found(self) -> list[Diagnostic]:
        return lint(self.text, self.settings)

    @cached_property
    def is_read(self) -> bool:
        """Whether the linter takes the text for Python."""
        return readable(self.text)


def every_rule() -> tuple[str, ...]:
    """The codes of all rules, so that each counts as asked for."""
    return tuple(rule.code for rule in all_rules())


def mentioning_everything(text: str) -> str:
    """With a closing comment that holds every word any rule waits for, so that no rule skips the text."""
    return text + ("" if text.endswith(("\n", "\r")) else "\n") + _words()


@cache
def _words() -> str:
    return f"# torch {' '.join(sorted({word for rule in load_rules() for word in rule.mentions}))}\n"


def readable(text: str) -> bool:
    try:
        parse(text)
    except Unreadable:
        return False
    return True


def is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def applicable(found: Sequence[Diagnostic], level: Applicability = Applicability.UNSAFE) -> list[ResolvedFix]:
    return [each.fix for each in found if each.fix is not None and each.fix.applicability >= level]


def spliced(text: str, fixes: Sequence[ResolvedFix]) -> str:
    """What the text must become if nothing but these edits happens to it."""
    for edit in sorted({edit for each in fixes for edit in each.edits}, reverse=True):
        text = text[: edit.start] + edit.content + text[edit.end :]
    return text


def told(found: Sequence[Diagnostic], *, own: bool = True) -> list[tuple[str, Location, str]]:
    """What a person would be told, without the fixes."""
    return [(each.code, each.location, _NEWLINE.sub("\n", each.message)) for each in found if own or each.code not in _OWN]


# -- the promises -------------------------------------------------------------------------------------------------------


def never_fails(trial: Trial) -> Held:
    yield from (each.message for each in trial.found if each.is_internal_error)


def places_lie_in_the_text(trial: Trial) -> Held:
    text = trial.text.removeprefix("\ufeff")
    rows = _NEWLINE.split(text)
    for each in trial.found:
        places = [(each.location, each.end_location), *((more.location, more.end_location) for more in each.related if more.path is None)]
        for start, end in places:
            if not start <= end or not all(_is_in(place, rows) for place in (start, end)):
                yield f"{each.code} lies at {start} to {end}, which is not in the text"
        if not each.rows or not all(1 <= row <= len(rows) for row in each.rows):
            yield f"{each.code} says it is on rows {each.rows} of {len(rows)}"
        for one in filter(None, (each.fix, *each.alternatives)):
            if not _is_sound(one.edits, len(trial.text)):
                yield f"{each.code} has edits that cannot be made: {one.edits}"
    if [each.location for each in trial.found] != sorted(each.location for each in trial.found):
        yield "the findings are not in the order of the text"


def _is_in(place: Location, rows: list[str]) -> bool:
    return 1 <= place.row <= len(rows) and 1 <= place.column <= len(rows[place.row - 1]) + 1 or place == Location(1, 1)


def _is_sound(edits: Sequence[Edit], length: int) -> bool:
    ends = [0, *(edit.end for edit in edits)]
    return bool(edits) and all(last <= edit.start <= edit.end <= length for last, edit in zip(ends, edits, strict=False))


def a_second_look_says_the_same(trial: Trial) -> Held:
    again = lint(trial.text, trial.settings)
    if again != trial.found:
        yield _difference(trial.found, again)


def each_fix_alone_leaves_python(trial: Trial) -> Held:
    """Editors offer them one by one."""
    if not trial.is_read:
        return
    for each in trial.found:
        for one in filter(None, (each.fix, *each.alternatives)):
            if one.applicability > Applicability.DISPLAY and not readable(apply(trial.text, [one])[0]):
                yield f"{each.code} offers a fix that leaves no Python: {one.edits}"


def only_the_edits_change_the_text(trial: Trial) -> Held:
    text, found = trial.text, trial.found
    for _ in range(ROUNDS):
        once, applied = apply(text, applicable(found))
        if once != spliced(text, applied):
            yield "more changed than the edits say"
        if once == text:
            return
        text, found = once, lint(once, trial.settings)


def fixing_leaves_python_and_settles(trial: Trial) -> Held:
    if not applicable(trial.found):
        return
    level = trial.random.choice((Applicability.SAFE, Applicability.UNSAFE))
    done = fix(trial.text, trial.settings, applicability=level)
    if not applicable(trial.found, level) and done.text != trial.text:
        yield "a text without anything to fix was changed"
    if is_python(trial.text) and not is_python(done.text) or trial.is_read and not readable(done.text):
        yield "the fixed text is no Python"
    if bool(done.applied) != (done.text != trial.text):
        yield f"{len(done.applied)} findings are said to be fixed, and the text is {'' if done.text != trial.text else 'not '}changed"
    if list(done.remaining) != (left := lint(done.text, trial.settings)):
        yield f"what is left is not what is found in the fixed text: {_difference(done.remaining, left)}"
    yield from (f"after fixing: {each.message}" for each in done.remaining if each.is_internal_error)
    again = fix(done.text, trial.settings, applicability=level)
    if again.text != done.text:
        yield f"a second fix changes the text again: {', '.join(each.code for each in again.applied)}"


def a_rule_finds_alone_what_it_finds_among_all(trial: Trial) -> Held:
    """Both times asked for by its code, since some speak only to those who ask."""
    settings = Settings(select=every_rule(), torch_version=trial.settings.torch_version)
    found = lint(trial.text, settings)
    codes = sorted({each.code for each in found} - _OWN) or ["TL101"]
    code = trial.random.choice([*codes, trial.random.choice(load_rules()).code])
    alone = lint(trial.text, Settings(select=(code,), torch_version=trial.settings.torch_version))
    expected = [each for each in found if each.code == code]
    if [each for each in alone if each.code not in _OWN] != expected:
        yield f"{code}: {_difference(expected, alone)}"


def a_rule_that_waits_for_words_misses_nothing(trial: Trial) -> Held:
    """With the words of all rules in a comment no rule finds more; it may find less, for a word can be a reason to say nothing."""
    if not trial.is_read or trial.text.endswith("\\"):
        return
    known = told(trial.found, own=False)
    more = lint(mentioning_everything(trial.text), trial.settings)
    if any(each not in known for each in told(more, own=False)):
        yield _difference(trial.found, more)


def a_comment_suppresses_what_it_names_and_no_more(trial: Trial) -> Held:
    """One `# noqa: CODE` behind a row, for a finding that stands there or for a rule that found nothing there."""
    settings = Settings(select=every_rule(), torch_version=trial.settings.torch_version)
    found = lint(trial.text, settings)
    rows = suppress.rows_with_an_end(trial.text)
    real = [each for each in found if each.code not in _OWN]
    if not rows or not real or not trial.is_read:
        return
    chosen = trial.random.choice(real)
    row = trial.random.choice([row for row in chosen.rows if row in rows] or sorted(rows))
    start, end = rows[row]
    if "#" in trial.text[trial.text.rfind("\n", 0, start) + 1 : end]:
        return  # a comment stands there already, and may mean anything
    after = lint(trial.text[:start] + f"  # noqa: {chosen.code}" + trial.text[end:], settings)
    left = [each for each in real if each.code != chosen.code or row not in each.rows]
    if told(after, own=False) != told(left):
        yield f"`# noqa: {chosen.code}` on row {row}: {_difference(left, after)}"
    unused = Counter(each.location.row for each in after if each.code == "TL002")
    unused.subtract(each.location.row for each in found if each.code == "TL002")
    if any(count for number, count in unused.items() if number != row) or unused[row] != (len(left) == len(real)):
        yield f"`# noqa: {chosen.code}` on row {row} counts as {'un' if unused[row] else ''}used"


def what_is_suppressed_is_silent(trial: Trial) -> Held:
    """As `--add-suppressions` does it."""
    if not trial.is_read:
        return
    silent = suppress.add(trial.text, trial.found)
    if not readable(silent):
        yield "the comments leave no Python"
    rows = suppress.rows_with_an_end(trial.text)
    expected = [each for each in trial.found if each.code in _OWN or not any(row in rows for row in each.rows)]
    left = lint(silent, trial.settings)
    if told(left, own=False) != told(expected, own=False):
        yield _difference(expected, left)
    if suppress.add(silent, [each for each in left if each not in expected]) != silent:
        yield "comments are written again"


def line_ends_do_not_matter(trial: Trial) -> Held:
    if "\r" in trial.text or not trial.is_read:
        return
    other = trial.text.replace("\n", "\r\n")
    found = lint(other, trial.settings)
    if told(found) != told(trial.found):
        yield _difference(trial.found, found)
    done = fix(other, trial.settings, applicability=Applicability.UNSAFE).text
    expected = fix(trial.text, trial.settings, applicability=Applicability.UNSAFE).text.replace("\n", "\r\n")
    if done != expected:
        yield f"fixing writes other rows: {_first_difference(expected, done)}"


def rows_above_only_move_findings(trial: Trial) -> Held:
    if not trial.is_read or trial.text.startswith(("#", "\ufeff")) or "torchlint:" in trial.text:
        return
    found = lint("\n# above\n" + trial.text, trial.settings)
    expected = [(code, Location(place.row + 2, place.column), message) for code, place, message in told(trial.found)]
    moved = [(code, place, re.sub(r"\b(row|line) \d+", r"\1", message)) for code, place, message in told(found)]
    if moved != [(code, place, re.sub(r"\b(row|line) \d+", r"\1", message)) for code, place, message in expected]:
        yield _difference(trial.found, found)


ALWAYS: tuple[Callable[[Trial], Held], ...] = (never_fails, places_lie_in_the_text, fixing_leaves_python_and_settles)
"""What every input is held to."""
SOMETIMES: tuple[Callable[[Trial], Held], ...] = (
    a_second_look_says_the_same,
    each_fix_alone_leaves_python,
    only_the_edits_change_the_text,
    a_rule_finds_alone_what_it_finds_among_all,
    a_rule_that_waits_for_words_misses_nothing,
    a_comment_suppresses_what_it_names_and_no_more,
    what_is_suppressed_is_silent,
    line_ends_do_not_matter,
    rows_above_only_move_findings,
)
"""Of which an input is held to a few, drawn with it."""


def _difference(expected: Sequence[Diagnostic], found: Sequence[Diagnostic]) -> str:
    wanted, given = Counter(told(expected)), Counter(told(found))
    gone, new = list((wanted - given).elements()), list((given - wanted).elements())
    if not gone and not new:
        return "the same findings with other fixes or places"
    return "; ".join((*(f"gone: {_short(each)}" for each in gone), *(f"new: {_short(each)}" for each in new)))


def _short(one: tuple[str, Location, str]) -> str:
    code, place, message = one
    return f"{code} at {place.row}:{place.column} {message}"


def _first_difference(expected: str, found: str) -> str:
    place = next((at for at, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b), min(len(expected), len(found)))
    return f"{expected[place - 20 : place + 30]!r} became {found[place - 20 : place + 30]!r}"

"""What somebody who read a finding, or found a mistake, says about it: one row of `verdicts.tsv` each. `README.md` defines the labels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ecosystem import tables
from ecosystem.linting import Result
from ecosystem.places import Place, moved

RIGHT, ARGUABLE, WRONG, MISSED = LABELS = ("right", "arguable", "wrong", "missed")
TOOL, READING, BOTH = FOUND_BY = ("tool", "reading", "both")
COLUMNS = ("repository", "commit", "path", "line", "mark", "rule", "label", "found_by", "reason")
NO_RULE = "-"
"""The rule of a mistake that no rule looks for yet."""
_RULE = re.compile(r"TL\d{3}|-")


@dataclass(frozen=True, slots=True)
class Verdict:
    place: Place
    commit: str
    mark: str
    label: str
    found_by: str
    reason: str

    @property
    def is_mistake(self) -> bool:
        """Something that its author would mend, whether it is reported or not."""
        return self.label in (RIGHT, MISSED)

    @property
    def judges_a_finding(self) -> bool:
        """Whether a finding was judged: those alone count for precision, as readers of code note the mistakes and not what is none."""
        return self.found_by != READING

    @property
    def comes_from_reading(self) -> bool:
        return self.found_by != TOOL


def read(file: Path) -> list[Verdict]:
    verdicts: dict[Place, Verdict] = {}
    for where, (repository, commit, path, line, mark, rule, label, found_by, reason) in tables.read(file, COLUMNS):
        if not line.isdecimal():
            raise tables.TableError(f"{where}: `{line}` is no line")
        place = Place(repository, path, int(line), rule)
        if place in verdicts:
            raise tables.TableError(f"{where}: a second verdict on {place}")
        verdicts[place] = checked(Verdict(place, commit, mark, label, found_by, reason), where)
    return list(verdicts.values())


def checked(verdict: Verdict, where: str) -> Verdict:
    """The verdict, if it is one; `where` is where it was read."""
    rule, label, found_by = verdict.place.rule, verdict.label, verdict.found_by
    if not _RULE.fullmatch(rule) or label not in LABELS or found_by not in FOUND_BY or not verdict.reason.strip():
        raise tables.TableError(f"{where}: not a verdict: a rule, one of {LABELS}, one of {FOUND_BY} and a reason are needed")
    return verdict


def write(file: Path, verdicts: Iterable[Verdict]) -> None:
    rows = sorted(verdicts, key=lambda each: (each.place.repository.lower(), each.place.path, each.place.line, each.place.rule))
    tables.write(
        file,
        COLUMNS,
        (
            (v.place.repository, v.commit, v.place.path, v.place.line, v.mark, v.place.rule, v.label, v.found_by, v.reason.strip())
            for v in rows
        ),
    )


def added(verdicts: Iterable[Verdict], new: Verdict) -> list[Verdict]:
    """The newer verdict on a place holds. What was judged as a finding and was found by reading as well, came to light by both."""
    by_place = {each.place: each for each in verdicts}
    old = by_place.get(new.place)
    if old is not None and old.found_by != new.found_by:
        new = replace(new, found_by=BOTH)
    by_place[new.place] = new
    return list(by_place.values())


def located(verdicts: Iterable[Verdict], results: Iterable[Result]) -> tuple[dict[Place, Verdict], list[Verdict]]:
    """The verdicts on what was linted, by where they hold now, and those whose line is no longer there."""
    done = {result.pin.repository: result for result in results if result.is_done}
    held: dict[Place, Verdict] = {}
    stale = []
    for verdict in verdicts:
        result = done.get(verdict.place.repository)
        if result is None:
            continue
        place = moved(verdict.place, verdict.commit, verdict.mark, result)
        if place is None:
            stale.append(verdict)
        else:
            held[place] = verdict
    return held, stale

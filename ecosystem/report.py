"""A run as text and as JSON: the figures per rule, what changed, what failed, and places with what is known of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ecosystem.figures import Figures
from ecosystem.linting import DONE, Finding, Result
from ecosystem.places import Place
from ecosystem.sampling import excerpt
from ecosystem.verdicts import Verdict

INTERNAL_ERROR = "TL000"
_HEADER = (
    f"{'rule':6}{'findings':>9}{'read':>6}{'right':>7}{'arguable':>10}{'wrong':>7}{'precision':>11}{'+arguable':>11}"
    f"{'recall: read':>16}{'known':>16}"
)


def table(rules: Mapping[str, Figures]) -> Iterator[str]:
    yield _HEADER
    for rule, each in rules.items():
        yield (
            f"{rule:6}{each.findings:9}{each.read:6}{each.right:7}{each.arguable:10}{each.wrong:7}"
            f"{_percent(each.precision):>11}{_percent(each.precision_with_arguable):>11}"
            f"{_recall(each.reported_by_reading, each.known_by_reading):>16}{_recall(each.reported, each.known):>16}"
        )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _recall(reported: int, known: int) -> str:
    return f"{reported / known:.0%} of {known}" if known else "-"


def counted(places: Collection[Place]) -> str:
    """How many, and of which rules."""
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(Counter(place.rule for place in places).items()))
    return f"{len(places)} ({rules})" if rules else "0"


def seconds(results: Iterable[Result]) -> str:
    done = [result for result in results if result.is_done]
    files = sum(result.tree.files for result in done if result.tree is not None)
    return f"{len(done)} repositories, {files:,} files, {sum(result.seconds for result in done):.0f} s of linting in all"


def failures(results: Iterable[Result]) -> Iterator[str]:
    """All that kept torchlint from saying what it would have said. Nothing of it is left out of any report."""
    for result in results:
        if result.outcome != DONE:
            yield f"{result.pin.repository}: {result.outcome}: {result.detail}"
        for problem in result.problems:
            yield f"{result.pin.repository}: {problem}"
        for finding in result.findings:
            if finding.rule == INTERNAL_ERROR:
                yield f"{result.pin.repository}: {finding.path}: {finding.message}"
        if result.tree is not None and result.tree.left_out:
            yield f"{result.pin.repository}: {len(result.tree.left_out)} files not in the snapshot or with names that cannot be shown"


class Shown:
    """Places as their readers want them."""

    def __init__(self, results: Iterable[Result], verdicts: Mapping[Place, Verdict], around: int | None) -> None:
        self._results = {result.pin.repository: result for result in results}
        self._verdicts = verdicts
        self._around = around
        """Rows of source before and after; None for no source."""
        self._findings: dict[Place, Finding] = {
            Place(name, each.path, each.line, each.rule): each for name, result in self._results.items() for each in result.findings
        }

    def place(self, place: Place) -> Iterator[str]:
        verdict, finding = self._verdicts.get(place), self._findings.get(place)
        yield f"{place}{f' [{verdict.label}: {verdict.reason}]' if verdict is not None else ''}"
        if finding is not None:
            yield f"    {finding.message}{f' ({finding.fix} fix)' if finding.fix else ''}"
        elif near := self._near(place):
            yield f"    not reported here; reported nearby: {', '.join(map(str, near))}"
        result = self._results[place.repository]
        yield f"    {result.pin.url(place.path, place.line)}"
        if self._around is not None and result.tree is not None:
            yield from (f"    {row}" for row in excerpt(result.tree.lines(place.path), place.line, self._around))

    def _near(self, place: Place, rows: int = 5) -> list[int]:
        same = (each for each in self._findings if each[:2] == place[:2] and each.rule == place.rule)
        return [each.line for each in same if abs(each.line - place.line) <= rows]

    def as_json(self, place: Place) -> dict[str, Any]:
        verdict, finding = self._verdicts.get(place), self._findings.get(place)
        return {
            **place._asdict(),
            "commit": self._results[place.repository].pin.commit,
            "message": finding.message if finding is not None else None,
            "fix": finding.fix if finding is not None else None,
            "label": verdict.label if verdict is not None else None,
            "found_by": verdict.found_by if verdict is not None else None,
            "reason": verdict.reason if verdict is not None else None,
        }


def figures_as_json(rules: Mapping[str, Figures]) -> dict[str, Any]:
    return {
        rule: asdict(each)
        | {
            "precision": each.precision,
            "precision_with_arguable": each.precision_with_arguable,
            "recall_by_reading": each.recall_by_reading,
            "recall": each.recall,
        }
        for rule, each in rules.items()
    }

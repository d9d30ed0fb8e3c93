"""The figures of a run: how many findings, how many of those read were right, how many of the known mistakes are reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecosystem.places import Place
from ecosystem.verdicts import ARGUABLE, WRONG, Verdict


@dataclass(slots=True)
class Figures:
    findings: int = 0
    read: int = 0
    """Findings that somebody judged as findings."""
    right: int = 0
    arguable: int = 0
    wrong: int = 0
    known_by_reading: int = 0
    """Mistakes that somebody found by reading the code."""
    reported_by_reading: int = 0
    """Those of them that are reported."""
    known: int = 0
    """Mistakes known in any way."""
    reported: int = 0

    @property
    def precision(self) -> float | None:
        return _share(self.right, self.read)

    @property
    def precision_with_arguable(self) -> float | None:
        return _share(self.right + self.arguable, self.read)

    @property
    def recall_by_reading(self) -> float | None:
        return _share(self.reported_by_reading, self.known_by_reading)

    @property
    def recall(self) -> float | None:
        return _share(self.reported, self.known)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def per_rule(found: Mapping[Place, object], verdicts: Mapping[Place, Verdict]) -> dict[str, Figures]:
    """By rule, in order; `total` sums up all of them."""
    rules: dict[str, Figures] = {rule: Figures() for rule in sorted({place.rule for place in (*found, *verdicts)})}
    rules["total"] = Figures()
    for place in found:
        for figures in (rules[place.rule], rules["total"]):
            figures.findings += 1
            verdict = verdicts.get(place)
            if verdict is not None and verdict.judges_a_finding:
                figures.read += 1
                figures.right += verdict.is_mistake
                figures.arguable += verdict.label == ARGUABLE
                figures.wrong += verdict.label == WRONG
    for place, verdict in verdicts.items():
        if verdict.is_mistake:
            for figures in (rules[place.rule], rules["total"]):
                figures.known += 1
                figures.reported += place in found
                figures.known_by_reading += verdict.comes_from_reading
                figures.reported_by_reading += verdict.comes_from_reading and place in found
    return rules

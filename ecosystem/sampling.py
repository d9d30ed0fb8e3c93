"""Findings drawn for reading: by a seed and not by a reader's taste, and spread over the repositories."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from ecosystem.places import Place


def sample(places: Iterable[Place], count: int, seed: int) -> list[Place]:
    """This many places of each rule: one of every repository before a second of any, so that one author's habit does not decide."""
    rules: dict[str, dict[str, list[Place]]] = {}
    for place in sorted(places):
        rules.setdefault(place.rule, {}).setdefault(place.repository, []).append(place)
    drawn = []
    for rule, repositories in sorted(rules.items()):
        draw = random.Random(f"{seed} {rule}")  # another rule's findings do not change what is drawn of this one
        queues = list(repositories.values())
        draw.shuffle(queues)
        for queue in queues:
            draw.shuffle(queue)
        longest = max(map(len, queues))
        in_turn = [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
        drawn += in_turn[:count]
    return drawn


def excerpt(lines: Sequence[str], line: int, around: int) -> list[str]:
    """The row and its neighbours, numbered; the row itself is pointed at."""
    first, last = max(1, line - around), min(len(lines), line + around)
    return [f"{'>' if number == line else ' '}{number:6} {lines[number - 1]}".rstrip() for number in range(first, last + 1)]

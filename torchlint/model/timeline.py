"""Timelines: in which order events can follow one another, on every way through one iteration of a loop or one call of a function.

Each question (`if amp:`) is answered once on a way, however often it is asked. Where there are more ways than can be looked at, nothing
is certain and everything may be.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from torchlint.syntax.tree import Node
from torchlint.values.events import Condition, Event, Happens

_MOST_WAYS = 512


@dataclass(frozen=True, slots=True)
class Seen:
    """An event of a timeline, and whether it surely concerns what the timeline is about."""

    event: Event
    sure: bool = True

    @property
    def what(self) -> Happens:
        return self.event.what


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a question on one way: the arm that is taken, or those that are not."""

    condition: Condition
    arm: Hashable = None
    denied: frozenset[Hashable] | None = None

    def allows(self, arm: Hashable) -> bool | None:
        """Whether an arm is taken; None while that is open."""
        if self.denied is None:
            return self.arm == arm
        if arm in self.denied:
            return False
        return True if len(self.denied) == arms(self.condition) - 1 else None

    def differs(self, other: Answer) -> bool:
        if self.denied is None:
            return other.allows(self.arm) is False
        return other.denied is None and other.arm in self.denied


@dataclass(frozen=True, slots=True)
class Run:
    """One way through."""

    seen: tuple[Seen, ...]
    answers: dict[Hashable, Answer]
    left: bool
    """It ends the loop, or the function."""

    def happening(self, *kinds: Happens) -> list[Seen]:
        return [each for each in self.seen if each.what in kinds]

    def has(self, *kinds: Happens) -> bool:
        return any(each.what in kinds for each in self.seen)

    def differences(self, other: Run) -> list[Condition]:
        """The conditions that this way and another one have answered differently."""
        shared = ((each, other.answers[question]) for question, each in self.answers.items() if question in other.answers)
        return [each.condition for each, others in shared if each.differs(others)]


def arms(condition: Condition) -> int:
    """How many arms a question has."""
    asked = condition.test
    if isinstance(asked, (cst.Try, cst.TryStar)):
        return 1 + len(asked.handlers)
    if isinstance(asked, cst.Match):
        last = asked.cases[-1]
        takes_all = isinstance(last.pattern, cst.MatchAs) and last.pattern.pattern is None and last.guard is None
        return len(asked.cases) + (not takes_all)
    return 2


class Timeline:
    """What happens in one iteration of a loop, or in one call of a function."""

    def __init__(self, seen: Sequence[Seen], scope: Node, depth: int = 0) -> None:
        self._seen = seen
        """In the order of execution, the early exits among them."""
        self._scope = scope
        """The loop, or the function."""
        self._depth = depth
        """How many conditions lead to the scope itself."""
        self._runs: dict[tuple[Happens, ...], list[Run] | None] = {}

    def all(self, *kinds: Happens) -> list[Seen]:
        return [each for each in self._seen if each.what in kinds]

    def has(self, *kinds: Happens) -> bool:
        return any(each.what in kinds for each in self._seen)

    def runs(self, *kinds: Happens) -> list[Run] | None:
        """The ways through, with the events of these kinds; None where there are too many."""
        if kinds not in self._runs:
            self._runs[kinds] = self._run(kinds)
        return self._runs[kinds]

    def _run(self, kinds: tuple[Happens, ...]) -> list[Run] | None:
        wanted = self._wanted(kinds)
        found: list[Run] = []
        open_ways: list[_Way] = [_Way(0, {}, (), ())]
        while open_ways:
            way = open_ways.pop()
            while way.at < len(wanted) and not way.ended:
                branch = way.step(wanted[way.at], self._scope, self._depth)
                if branch is not None:
                    open_ways.append(branch)
            found.append(Run(way.seen, way.answers, way.left))
            if len(found) + len(open_ways) > _MOST_WAYS:
                return None
        return found

    def _matches(self, pattern: Sequence[Happens], among: Sequence[Happens]) -> Iterator[tuple[Run, list[tuple[Seen, ...]]]] | None:
        runs = self.runs(*pattern, *among)
        if runs is None:
            return None
        width = len(pattern)
        return ((run, [part for at in range(len(run.seen) - width + 1) if _is(part := run.seen[at : at + width], pattern)]) for run in runs)

    def always(self, *pattern: Happens, among: Sequence[Happens] = ()) -> Iterator[tuple[Event, ...]]:
        """The events that follow one another directly in this order, among these kinds, on every way that has the last of them."""
        matches = list(self._matches(pattern, among) or ())
        complete = [(run, parts) for run, parts in matches if run.has(pattern[-1])]
        if complete and all(any(all(each.sure for each in part) for part in parts) for _, parts in complete):
            yield from _distinct(part for _, parts in complete for part in parts if all(each.sure for each in part))

    def ever(self, *pattern: Happens, among: Sequence[Happens] = ()) -> Iterator[tuple[Event, ...]]:
        """The events that surely follow one another so on some way."""
        yield from _distinct(part for _, parts in self._matches(pattern, among) or () for part in parts if all(each.sure for each in part))

    def may(self, *pattern: Happens, at: Event | None = None, among: Sequence[Happens] = ()) -> bool:
        """Whether events may follow one another so on some way, `at` among them if it is given."""
        matches = self._matches(pattern, among)
        if matches is None:
            return True
        return any(at is None or any(each.event is at for each in part) for _, parts in matches for part in parts)

    def _wanted(self, kinds: Sequence[Happens]) -> list[Seen]:
        """The events of these kinds, and the early exits that leave out some of them."""
        last = max((index for index, each in enumerate(self._seen) if each.what in kinds), default=-1)
        kept = []
        for index, each in enumerate(self._seen):
            if each.what in kinds:
                kept.append(each)
            elif each.what is Happens.LEAVE and self._matters(index, last, kinds):
                kept.append(each)
        return kept

    def _matters(self, index: int, last: int, kinds: Sequence[Happens]) -> bool:
        leave = self._seen[index].event
        chain, part = _left(leave)
        if not chain and _is_around(leave, part, self._scope):
            return index < last or not isinstance(leave.node, cst.Continue)
        return any(each.what in kinds and _is_in(each.event, chain, part) for each in self._seen[index + 1 : last + 1])


@dataclass(slots=True)
class _Way:
    """A way that is still being followed."""

    at: int
    answers: dict[Hashable, Answer]
    seen: tuple[Seen, ...]
    left_out: tuple[tuple[tuple[cst.Call, ...], Node | None], ...]
    """The loops, called functions, or bodies of `try` whose rest is skipped."""
    ended: bool = False
    left: bool = False

    def step(self, seen: Seen, scope: Node, depth: int) -> _Way | None:
        """Go past one event; where a question is open, take the arm that leads to it, and return the way that does not."""
        event = seen.event
        if any(_is_in(event, chain, part) for chain, part in self.left_out):
            self.at += 1
            return None
        for condition in event.when[depth:]:
            allowed = self._allows(condition)
            if allowed is False:
                self.at += 1
                return None
            if allowed is None:
                return self._fork(condition)
        self.at += 1
        if event.what is Happens.LEAVE:
            self._leave(event, scope)
        else:
            self.seen = (*self.seen, seen)
        return None

    def _allows(self, condition: Condition) -> bool | None:
        known = self.answers.get(condition.question)
        allowed = known.allows(condition.arm) if known is not None else condition.settled
        if allowed is not None:
            return allowed
        parts = [self._allows(each) for each in condition.implied]
        return False if False in parts else True if parts and all(parts) else None

    def _fork(self, condition: Condition) -> _Way:
        known = self.answers.get(condition.question)
        denied = (known.denied if known is not None and known.denied is not None else frozenset()) | {condition.arm}
        other = (
            Answer(condition, not condition.arm)
            if isinstance(condition.arm, bool) and arms(condition) == 2
            else Answer(condition, denied=denied)
        )
        branch = _Way(self.at, {**self.answers, condition.question: other}, self.seen, self.left_out)
        self.answers = dict(self.answers)
        taken = [condition]
        while taken:
            each = taken.pop()
            self.answers[each.question] = Answer(each, each.arm)
            taken += each.implied
        return branch

    def _leave(self, event: Event, scope: Node) -> None:
        chain, part = _left(event)
        if not chain and _is_around(event, part, scope):
            self.ended = True
            self.left = not isinstance(event.node, cst.Continue)
        else:
            self.left_out = (*self.left_out, (chain, part))


def _left(leave: Event) -> tuple[tuple[cst.Call, ...], Node | None]:
    """What an early exit leaves: a loop, the body of a `try`, or (None) the whole function that this chain of calls leads to."""
    if isinstance(leave.node, cst.Raise):
        return leave.chain, _caught(leave)
    ends_loop = isinstance(leave.node, (cst.Break, cst.Continue))
    return leave.chain, next(leave.file.tree.loops(leave.node), None) if ends_loop else None


def _caught(leave: Event) -> Node | None:
    """The body of the `try` around a `raise` in the same function, if it has handlers: they may well be for that."""
    child = leave.node
    for above in leave.file.ancestors(leave.node):
        if isinstance(above, (cst.FunctionDef, cst.ClassDef)):
            return None
        if isinstance(above, (cst.Try, cst.TryStar)) and above.handlers and child is above.body:
            return child
        child = above
    return None


def _is_around(leave: Event, part: Node | None, scope: Node) -> bool:
    """Whether an early exit from a part ends what the timeline is about."""
    return part is None or part is scope or scope in leave.file.tree.order and leave.file.is_inside(scope, part)


def _is_in(event: Event, chain: tuple[cst.Call, ...], part: Node | None) -> bool:
    """Whether an event happens in the rest of a loop, of a body, or of a function, that the chain of calls leads to."""
    if event.chain[: len(chain)] != chain or len(event.chain) < len(chain):
        return False
    if part is None:
        return True
    place = event.places[len(chain)]
    if isinstance(part, (cst.For, cst.While)):
        return any(each is part for each in _loops(event, place))
    return place in event.file.tree.order and event.file.is_inside(place, part)


def _loops(event: Event, place: Node) -> Iterator[Node]:
    file = event.file
    return file.tree.loops(place) if place in file.tree.order else iter(())


def _is(part: Sequence[Seen], pattern: Sequence[Happens]) -> bool:
    return all(each.what is kind for each, kind in zip(part, pattern, strict=True))


def _distinct(parts: Iterator[tuple[Seen, ...]]) -> Iterator[tuple[Event, ...]]:
    done: set[tuple[int, ...]] = set()
    for part in parts:
        key = tuple(id(each.event) for each in part)
        if key not in done:
            done.add(key)
            yield tuple(each.event for each in part)

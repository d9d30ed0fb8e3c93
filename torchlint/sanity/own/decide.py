"""What is run, and what is said of it: the program as it is, with the fixes that keep it, with those that repair it as well.

A fix that keeps a program must not change one bit, unless the program differs from itself as much when it is run twice. A fix that repairs
may change what `repairs` allows. Nothing is called identical that did not run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from torchlint.edits import Applicability, Effect
from torchlint.sanity.own import align, repairs, signals
from torchlint.sanity.own.align import Difference
from torchlint.sanity.own.launch import Program, launch
from torchlint.sanity.own.record import Record
from torchlint.sanity.own.signals import Signal
from torchlint.sanity.own.texts import Found, Sources


class Verdict(Enum):
    IDENTICAL = "identical"
    NOISE = "identical within the program's own noise"
    INTENDED = "changed as the repair intends"
    UNEXPECTED = "changed unexpectedly"
    NOT_REACHED = "not reached"
    NOTHING = "nothing to fix"
    FAILED = "failed"


class State(Enum):
    """What a run says of a finding."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    REACHED = "reached"
    """Its statement ran, and nothing that was recorded speaks for or against it."""
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Judged:
    found: Found
    state: State
    evidence: str = ""


@dataclass(frozen=True)
class Outcome:
    verdict: Verdict
    reason: str = ""
    difference: Difference | None = None
    blamed: tuple[str, ...] = ()
    """The rules whose fixes make an unexpected difference, if some alone do."""
    original: Record | None = None
    fixed: Record | None = None
    """With all fixes."""
    findings: tuple[Judged, ...] = ()
    unseen: tuple[Signal, ...] = ()
    """What the run showed and no finding says."""
    unreached: tuple[Found, ...] = ()
    """Fixes whose statements did not run: nothing is said of them."""
    fixes: int = 0
    unsafe: int = 0
    """Findings whose fixes were left out, for being unsafe."""
    runs: int = 0
    noise: float | None = None
    """How far the losses of two runs of the original were apart; None where that was not asked."""


_FACTOR = 4.0
"""How many times as far as two runs of the original a fixed one may be from it: one pair is a small sample of what chance does."""


@dataclass
class Trial:
    """The program and how it is run."""

    program: Program
    sources: Sources
    steps: int
    time_limit: float
    echo: Callable[[str], None] | None = None
    tell: Callable[[str], None] = lambda _: None
    """Hears what is being done."""
    runs: int = field(default=0, init=False)

    def original(self) -> Record:
        self.runs += 1
        self.tell(f"running {self.program} as it is")
        return launch(self.program, steps=self.steps, time_limit=self.time_limit, serve=self.sources.serve, echo=self.echo)

    def changed(self, texts: dict[str, str], what: str) -> Record:
        self.runs += 1
        self.tell(f"running {self.program} {what}")
        return launch(self.program, steps=self.steps, time_limit=self.time_limit, texts=texts)


def decide(trial: Trial) -> Outcome:
    original = trial.original()
    reason = _useless(original, trial.program)
    keeping, repairing = (trial.sources.codes(effect) for effect in (Effect.KEEPS, Effect.REPAIRS))
    mended = original.how == "crashed" and bool(repairing)
    if reason and not mended:
        return Outcome(Verdict.FAILED, reason, original=original, runs=trial.runs)
    if original.how == "timed out" and original.steps:
        trial.steps = original.steps
    found = _Comparison(trial, original, keeping, repairing).outcome()
    if not mended:
        return found
    if found.verdict is not Verdict.INTENDED or found.fixed is None:
        return Outcome(Verdict.FAILED, reason, original=original, runs=trial.runs)
    return replace(found, reason=f"{reason} ({original.last_words}), and goes on with its fixes")


def _useless(record: Record, program: Program) -> str:
    """Why nothing can be said of a program that ran like this."""
    took = f" after {record.timeline and list(record.timeline)[-1]}" if record.steps else ""
    match record.how:
        case "crashed":
            return f"the program crashes by itself{took}"
        case "not found":
            return record.trace
        case "died":
            return f"the program's process died{took}, with status {record.status}"
    if record.steps:
        return ""
    if record.processes:
        return f"{program} took no step itself, and started other processes: training in these is not supported"
    if record.how == "timed out":
        return f"{program} took no step in the time that it had: give it more with --timeout"
    return f"{program} took no step of an optimizer and ran no backward: there is nothing to compare"


class _Comparison:
    def __init__(self, trial: Trial, original: Record, keeping: list[str], repairing: list[str]) -> None:
        self.trial, self.original, self.keeping, self.repairing = trial, original, keeping, repairing
        self.noise: float | None = None

    def outcome(self) -> Outcome:
        sources = self.trial.sources
        kept = sources.fixed(codes=self.keeping)
        if not self.keeping and not self.repairing:
            return self._told(Verdict.NOTHING, fixed=None)
        fixed = self.original
        verdict = Verdict.IDENTICAL
        if self.keeping:
            fixed = self.trial.changed(kept, "with the fixes that keep it")
            difference = align.first_difference(self.original, fixed)
            if (reason := self._cut_short(fixed)) is not None:
                return self._told(Verdict.FAILED, reason, fixed=fixed)
            if difference is not None:
                if not self._is_noise(fixed):
                    blamed = self._blamed()
                    return self._told(Verdict.UNEXPECTED, _crash(fixed), difference, blamed, fixed)
                verdict = Verdict.NOISE
        if self.repairing:
            before = fixed
            fixed = self.trial.changed(sources.fixed(codes=[*self.keeping, *self.repairing]), "with the fixes that repair it as well")
            difference = align.first_difference(before, fixed)
            if (reason := self._cut_short(fixed)) is not None:
                return self._told(Verdict.FAILED, reason, fixed=fixed)
            if difference is not None:
                wrong = repairs.unexpected(before, fixed, self.repairing, difference)
                if wrong and self._is_noise(fixed):
                    return self._told(Verdict.NOISE, "", None, (), fixed)
                return self._told(Verdict.UNEXPECTED if wrong else Verdict.INTENDED, wrong, difference, (), fixed)
        reached = [each for each in sources.fixable if each.number in self.original.reached]
        if not reached:
            return self._told(Verdict.NOT_REACHED, "no statement that a fix changes was run", fixed=fixed)
        return self._told(verdict, fixed=fixed)

    def _cut_short(self, fixed: Record) -> str | None:
        if fixed.how == "timed out" and not fixed.steps and self.original.how != "timed out":
            return "with its fixes the program took no step in the time that it had: give it more with --timeout"
        return None

    def _is_noise(self, fixed: Record) -> bool:
        """Whether the original differs from itself in the same way, and about as much."""
        if self.noise is None:
            again = self.trial.changed(self.trial.sources.originals, "once more as it is")
            self.again = align.first_difference(self.original, again)
            self.noise = align.gap(self.original, again)
        if self.again is None:
            return False
        difference = align.first_difference(self.original, fixed)
        return (
            difference is not None
            and difference.what not in (align.STEPS, align.END)
            and _same_parameters(self.original, fixed)
            and (difference.what != align.RANDOM or self.again.what == align.RANDOM)
            and align.gap(self.original, fixed) <= _FACTOR * self.noise
        )

    def _blamed(self) -> tuple[str, ...]:
        """Each rule's fixes alone, until one is found that makes the difference."""
        if len(self.keeping) == 1:
            return tuple(self.keeping)
        for code in self.keeping:
            alone = self.trial.changed(self.trial.sources.fixed(codes=[code]), f"with the fixes of {code} alone")
            if align.first_difference(self.original, alone) is not None and not self._is_noise(alone):
                return (code,)
        return ()

    def _told(
        self,
        verdict: Verdict,
        reason: str = "",
        difference: Difference | None = None,
        blamed: tuple[str, ...] = (),
        fixed: Record | None = None,
    ) -> Outcome:
        sources = self.trial.sources
        shown = signals.signals(self.original)
        findings = tuple(_judged(each, self.original, shown) for each in sources.found)
        said = {each.found.diagnostic.code for each in findings if each.state is State.CONFIRMED}
        return Outcome(
            verdict,
            reason,
            difference,
            blamed,
            self.original,
            fixed,
            findings,
            tuple(each for each in shown if not said & set(each.codes)),
            tuple(each for each in sources.fixable if each.number not in self.original.reached),
            len(sources.fixable),
            sum(each.is_fixed_at(Applicability.UNSAFE) for each in sources.found) - len(sources.fixable),
            self.trial.runs,
            self.noise,
        )


def _crash(record: Record) -> str:
    return "with its fixes the program crashes" if record.how in ("crashed", "died") else ""


def _same_parameters(before: Record, after: Record) -> bool:
    return all(
        event[what].keys() == after.timeline[key][what].keys()
        for key, event in before.timeline.items()
        if key in after.timeline
        for what in (align.GRADIENTS, align.PARAMETERS)
    )


def _judged(found: Found, record: Record, shown: list[Signal]) -> Judged:
    reached = record.reached.get(found.number)
    code = found.diagnostic.code
    if reached is None:
        return Judged(found, State.NOT_REACHED)
    for signal in shown:
        if code in signal.codes:
            return Judged(found, State.CONFIRMED, signal.message)
    waited = _waits(found, record)
    if waited:
        return Judged(found, State.CONFIRMED, waited)
    for kind, codes in signals.CODES.items():
        least = signals.REFUTED_AFTER.get(kind)
        if code in codes and least is not None and record.optimizers and min(len(reached), record.steps) >= least:
            return Judged(found, State.REFUTED, f"reached, and no {kind} in {record.steps} steps")
    return Judged(found, State.REACHED)


WAITING = ("TL402", "TL403")
"""The rules that say that the host waits for the device."""


def _waits(found: Found, record: Record) -> str:
    if found.diagnostic.code not in WAITING or not record.steps:
        return ""
    lines = {f"{found.path}:{row}" for row in found.diagnostic.rows}
    number = sum(count for line, count in signals.waits(record).items() if line in lines)
    return f"{number} waits in {record.steps} steps" if number > 1 else ""

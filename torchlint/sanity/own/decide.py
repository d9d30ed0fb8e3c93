"""What is run, and what is said of it: the program as it is, with the fixes that keep it, with those that repair it as well.

A fix that keeps a program must not change one bit, unless the program differs from itself as much when it is run twice, or its rule allows
for rounding. A fix that repairs may change what `repairs` allows. Nothing is called identical that did not run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from time import monotonic

from torchlint import rulebook
from torchlint.edits import Applicability, Effect
from torchlint.sanity import scenario
from torchlint.sanity.own import align, repairs, signals
from torchlint.sanity.own.align import Difference
from torchlint.sanity.own.blame import guilty
from torchlint.sanity.own.judge import Judged, State, judged
from torchlint.sanity.own.launch import Program, launch
from torchlint.sanity.own.record import BACKWARD, Record
from torchlint.sanity.own.signals import Signal
from torchlint.sanity.own.texts import Found, Sources
from torchlint.selection import named


class Verdict(Enum):
    IDENTICAL = "identical"
    NOISE = "identical within the program's own noise"
    TOLERANCE = "identical within tolerance"
    INTENDED = "changed as the repair intends"
    UNEXPECTED = "changed unexpectedly"
    NOT_REACHED = "not reached"
    NOTHING = "nothing to fix"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    verdict: Verdict
    reason: str = ""
    difference: Difference | None = None
    blamed: tuple[Found, ...] = ()
    """The findings whose fixes make an unexpected difference by themselves, as few as could be found out."""
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
    asked: int = 0
    """The steps that were asked for."""
    unasked: int = 0
    """Findings that the run went on for and that were not reached all the same."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Of the program's files, as they are."""


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
    further: float = 0.0
    """Seconds for which the program goes on past these steps to reach what is not reached; no more than half of its time."""
    runs: int = field(default=0, init=False)

    def original(self) -> Record:
        self.runs += 1
        self.tell(f"running {self.program} as it is")
        found = launch(
            self.program,
            steps=self.steps,
            time_limit=self.time_limit,
            further=min(self.further, self.time_limit / 2),
            serve=self.sources.serve,
            echo=self.echo,
        )
        self.by_backwards = any(key.kind == BACKWARD for key in found.timeline)
        return found

    def changed(self, texts: dict[str, str], what: str) -> Record:
        self.runs += 1
        self.tell(f"running {self.program} {what}")
        return launch(
            self.program,
            steps=self.steps,
            time_limit=self.time_limit,
            by_backwards=self.by_backwards,
            texts=texts,
        )


def decide(trial: Trial) -> Outcome:
    asked = trial.steps
    original = trial.original()
    reason = _useless(original, trial.program)
    keeping, repairing = (trial.sources.fixing(effect) for effect in (Effect.KEEPS, Effect.REPAIRS))
    mended = original.how == "crashed" and bool(repairing)
    if reason and not mended:
        return Outcome(Verdict.FAILED, reason, original=original, runs=trial.runs, asked=asked)
    if original.how in ("timed out", "stopped"):
        trial.steps = original.steps or trial.steps
    elif original.further:
        trial.steps = original.steps + 1  # so that it can end by itself as well
    found = replace(_Comparison(trial, original, keeping, repairing).outcome(), asked=asked)
    if not mended:
        return found
    if found.verdict is not Verdict.INTENDED or found.fixed is None:
        return Outcome(Verdict.FAILED, reason, original=original, runs=trial.runs, asked=asked)
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
    def __init__(self, trial: Trial, original: Record, keeping: list[Found], repairing: list[Found]) -> None:
        self.trial, self.original, self.repairing = trial, original, repairing
        self.tolerant = [each for each in keeping if _tolerance(each)]
        self.strict = [each for each in keeping if not _tolerance(each)]
        self.noise: float | None = None
        self.until: float | None = None

    def outcome(self) -> Outcome:
        if not self.strict and not self.tolerant and not self.repairing:
            return self._told(Verdict.NOTHING, fixed=None)
        fixed, verdict = self.original, Verdict.IDENTICAL
        for chosen, tolerance in ((self.strict, 0.0), (self.tolerant, max(map(_tolerance, self.tolerant), default=0.0))):
            if not chosen:
                continue
            before, kept = fixed, [*(self.strict if tolerance else ()), *chosen]
            fixed = self._run(kept, "with the fixes that keep it" + (" but for rounding" if tolerance else ""))
            difference = align.first_difference(before, fixed)
            if (reason := self._cut_short(fixed)) is not None:
                return self._told(Verdict.FAILED, reason, fixed=fixed)
            if difference is None:
                continue
            if tolerance and align.within(before, fixed, tolerance):
                verdict = Verdict.TOLERANCE
            elif self._is_noise(fixed):
                verdict = Verdict.NOISE
            else:
                blamed = self._blamed(chosen, functools.partial(self._is_changed, tolerance))
                return self._told(Verdict.UNEXPECTED, _crash(fixed), difference, blamed, fixed)
        return self._repaired(fixed, verdict) if self.repairing else self._kept(fixed, verdict)

    def _kept(self, fixed: Record, verdict: Verdict) -> Outcome:
        """Nothing makes a difference that should make none."""
        if not any(each.number in self.original.reached for each in self.trial.sources.fixable):
            return self._told(Verdict.NOT_REACHED, "no statement that a fix changes was run", fixed=fixed)
        return self._told(verdict, fixed=fixed)

    def _repaired(self, before: Record, verdict: Verdict) -> Outcome:
        fixed = self._run([*self.strict, *self.tolerant, *self.repairing], "with the fixes that repair it as well")
        difference = align.first_difference(before, fixed)
        if (reason := self._cut_short(fixed)) is not None:
            return self._told(Verdict.FAILED, reason, fixed=fixed)
        if difference is None:
            return self._kept(fixed, verdict)
        wrong = repairs.unexpected(before, fixed, _codes(self.repairing), difference)
        if wrong and self._is_noise(fixed):
            return self._told(Verdict.NOISE, fixed=fixed)

        def is_wrong(few: Sequence[Found]) -> str:
            alone = self._run([*self.strict, *self.tolerant, *few], f"with the repairs of {_named(few)} alone")
            found = align.first_difference(before, alone)
            return "" if found is None else repairs.unexpected(before, alone, _codes(few), found, alone=True)

        blamed: tuple[Found, ...] = ()
        if wrong and len(self.repairing) == 1:
            blamed = tuple(self.repairing)
        elif wrong and repairs.unexpected(before, fixed, _codes(self.repairing), difference, alone=True):
            blamed = self._blamed(self.repairing, lambda few: bool(is_wrong(few)))
        elif not wrong and before.how != "crashed" and len(_codes(self.repairing)) > 1:
            # What one rule may change is no licence for the others.
            for code in _codes(self.repairing):
                few = [each for each in self.repairing if each.diagnostic.code == code]
                if not wrong and self._has_time() and (wrong := is_wrong(few)):
                    blamed = self._blamed(few, lambda some: bool(is_wrong(some)))
        return self._told(Verdict.UNEXPECTED if wrong else Verdict.INTENDED, wrong, difference, blamed, fixed)

    def _run(self, fixes: Sequence[Found], what: str) -> Record:
        return self.trial.changed(self.trial.sources.fixed(fixes), what)

    def _is_changed(self, tolerance: float, few: Sequence[Found]) -> bool:
        alone = self._run(few, f"with the fixes of {_named(few)} alone")
        return (
            align.first_difference(self.original, alone) is not None
            and not (tolerance and align.within(self.original, alone, tolerance))
            and not self._is_noise(alone)
        )

    def _blamed(self, fixes: Sequence[Found], is_wrong: Callable[[Sequence[Found]], bool]) -> tuple[Found, ...]:
        """Those that make the difference by themselves, in the order in which they were reached."""
        order = sorted(fixes, key=lambda each: (each.number not in self.original.reached, each.number))
        return tuple(guilty(order, is_wrong, self._has_time))

    def _has_time(self) -> bool:
        """Looking for the culprit takes no more time than one run may."""
        if self.until is None:
            self.until = monotonic() + self.trial.time_limit
        return monotonic() < self.until

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

    def _told(
        self,
        verdict: Verdict,
        reason: str = "",
        difference: Difference | None = None,
        blamed: tuple[Found, ...] = (),
        fixed: Record | None = None,
    ) -> Outcome:
        sources = self.trial.sources
        shown = signals.signals(self.original)
        texts = sources.originals
        device = self.trial.program.device
        findings = tuple(judged(each, self.original, shown, texts[each.path], device) for each in sources.found)
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
            texts=texts,
            unasked=sum(sources.is_asked(each) and each.number not in self.original.reached for each in sources.found),
        )


def _tolerance(found: Found) -> float:
    """By how much a fix that keeps a program may change its losses: as much as its scenario allows, and the rule's page justifies."""
    return _tolerance_of(found.diagnostic.code)


@functools.cache
def _tolerance_of(code: str) -> float:
    for rule in named(code):
        path = rulebook.fixtures(rule) / "scenario.py"
        if rule.plugin is None and path.is_file():
            return max(scenario.read(path).tolerances.values(), default=0.0)
    return 0.0


def _codes(fixes: Sequence[Found]) -> list[str]:
    return sorted({each.diagnostic.code for each in fixes})


def _named(fixes: Sequence[Found]) -> str:
    return ", ".join(_codes(fixes)) if len(fixes) > 1 else f"{fixes[0].diagnostic.code} in line {fixes[0].row}"


def _crash(record: Record) -> str:
    return "with its fixes the program crashes" if record.how in ("crashed", "died") else ""


def _same_parameters(before: Record, after: Record) -> bool:
    return all(
        event[what].keys() == after.timeline[key][what].keys()
        for key, event in before.timeline.items()
        if key in after.timeline
        for what in align.TENSORS
    )

"""Trials run: each program in a process of its own, on the devices that this machine has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from torchlint.sanity.processes import ChildFailedError, execute
from torchlint.sanity.verdict import Outcome, Trial, Verdict, judge


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to run on."""

    torch: str
    present: dict[str, str]
    """Kinds of device, with the device's name."""
    absent: dict[str, str]
    """Those that are not there, with the reason."""

    @property
    def kinds(self) -> tuple[str, ...]:
        return (*self.present, *self.absent)


def machine() -> Machine:
    """Asked of torch, in a process of its own."""
    return Machine(**execute({}))


def run(trials: Iterable[Trial], devices: Sequence[str], *, workers: int) -> Iterator[Outcome]:
    """Every trial on every device, in this order. Each program has a process of its own, of which `workers` run at a time."""
    pool = ThreadPoolExecutor(workers)
    pending: list[tuple[Trial, str, dict[str, Future[dict[str, Any]]]]] = []
    try:
        for trial in trials:
            for device in devices:
                wanted = programs(trial, device) if device in trial.scenario.devices else {}
                pending.append((trial, device, {role: pool.submit(_attempt, job) for role, job in wanted.items()}))
        for trial, device, futures in pending:
            if futures:
                yield judge(trial, device, {role: future.result() for role, future in futures.items()})
            else:
                reason = f"the scenario is for {', '.join(trial.scenario.devices)}"
                yield Outcome(trial.code, trial.name, device, Verdict.SKIPPED, reason, trial.effect)
    finally:
        pool.shutdown(cancel_futures=True)


def programs(trial: Trial, device: str) -> dict[str, dict[str, Any]]:
    """The jobs of a trial, by the part that each program has in the verdict."""
    scenario = trial.scenario
    job = {"device": device, "example": scenario.has_example, "measure": scenario.measure, "steps": scenario.steps}
    jobs = {"original": job | {"text": scenario.text, "function": "program"}}
    if trial.fixed is not None:
        jobs["fixed"] = job | {"text": trial.fixed, "function": "program"}
    if scenario.has_reference:
        # From its author's text, which no fix has touched.
        jobs["reference"] = job | {"text": scenario.text, "function": "reference"}
    return jobs


def _attempt(job: dict[str, Any]) -> dict[str, Any]:
    """The job's outcome; a process that failed is one as well."""
    try:
        return execute(job)
    except ChildFailedError as error:
        return {"unusable": str(error)}

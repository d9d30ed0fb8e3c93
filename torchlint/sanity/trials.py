"""Trials run: each program in a process of its own, on the devices that this machine has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from torchlint.sanity.processes import ChildFailedError, execute
from torchlint.sanity.verdict import Outcome, Trial, Verdict, judge, skipped

_Started = dict[str, Future[dict[str, Any]]]
"""The runs of a trial's programs, by the part that each has in the verdict."""


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
    """Every trial on every device, in this order. Each program has a process of its own, of which `workers` run at a time.

    Trials that share a program, such as the one with the mistake, share its run.
    """
    pool = ThreadPoolExecutor(workers)
    started: dict[str, Future[dict[str, Any]]] = {}
    pending: list[tuple[Trial, str, _Started]] = []

    def start(trial: Trial, device: str) -> _Started:
        futures = {}
        for role, job in programs(trial, device).items():
            key = json.dumps(job, sort_keys=True)
            if key not in started:
                started[key] = pool.submit(_attempt, job)
            futures[role] = started[key]
        return futures

    try:
        for trial in trials:
            for device in devices:
                pending.append((trial, device, start(_first(trial), device) if device in trial.scenario.devices else {}))
        for trial, device, futures in pending:
            if not futures:
                yield skipped(trial, device, f"the scenario is for {', '.join(trial.scenario.devices)}")
                continue
            outcome = judge(_first(trial), device, _results(futures))
            if outcome.verdict is Verdict.SURVIVED and trial.scenario.costs:
                outcome = judge(trial, device, _results(start(trial, device)))
            yield outcome
    finally:
        pool.shutdown(cancel_futures=True)


def _first(trial: Trial) -> Trial:
    """What is asked of the trial at first: most mutants give themselves away before their costs are counted, which takes the longest."""
    return replace(trial, scenario=replace(trial.scenario, costs={})) if trial.mutant else trial


def _results(futures: _Started) -> dict[str, dict[str, Any]]:
    return {role: future.result() for role, future in futures.items()}


def programs(trial: Trial, device: str) -> dict[str, dict[str, Any]]:
    """The jobs of a trial, by the part that each program has in the verdict."""
    scenario = trial.scenario
    job = {
        "device": device,
        "function": "program",
        "example": scenario.has_example,
        "measure": bool(scenario.costs),
        "steps": scenario.steps,
    }
    jobs = {"original": job | {"text": scenario.text}}
    if trial.fixed is not None:
        jobs["fixed"] = job | {"text": trial.fixed}
    if scenario.has_reference:
        # From its author's text, which no fix has touched. What it costs is only asked where it stands in for the fixed program.
        jobs["reference"] = job | {"text": scenario.text, "function": "reference", "measure": bool(scenario.costs) and trial.fixed is None}
    return jobs


def _attempt(job: dict[str, Any]) -> dict[str, Any]:
    """The job's outcome; a process that failed is one as well."""
    try:
        return execute(job)
    except ChildFailedError as error:
        return {"unusable": str(error)}

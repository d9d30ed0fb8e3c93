"""The record of a run, read: plain data, without torch."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

STEP, BACKWARD = "step", "backward"


class Key(NamedTuple):
    """Which event of a run: a step of an optimizer, or a backward where nothing steps."""

    kind: str
    optimizer: int
    """In the order of first steps."""
    number: int
    """From 1."""

    def __str__(self) -> str:
        return f"backward {self.number}" if self.kind == BACKWARD else f"step {self.number}"


@dataclass(frozen=True)
class Record:
    events: tuple[dict[str, Any], ...]
    """Steps and backwards, and what went on after the last step, as the recorder wrote them."""
    files: tuple[str, ...] = ()
    """The user's files that were imported."""
    reached: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """By finding, the steps after which its statement was reached, the first few."""
    how: str = "died"
    """`stopped` after enough steps, `finished`, `crashed`, `not found`, `timed out`, or `died` without a word."""
    trace: str = ""
    status: int = 0
    """The program's own."""
    processes: int = 0
    """How many it started."""
    output: str = ""
    """The end of what it printed."""
    seconds: float = 0.0
    memory: tuple[dict[str, Any], ...] = ()
    """Of the steps that were watched: the `peak` of what the step made, and how much of that was `kept` two steps later, made at `line`."""
    further: bool = False
    """Whether it went on past the steps that were asked for, to reach what was not reached."""
    torch: str = ""
    """Its version."""

    @cached_property
    def timeline(self) -> dict[Key, dict[str, Any]]:
        """What can be compared: steps, or backwards if nothing steps, in order."""
        kind = STEP if any(each["event"] == STEP for each in self.events) else BACKWARD
        return {Key(kind, each.get("optimizer", 0), each["step"]): each for each in self.events if each["event"] == kind}

    @property
    def steps(self) -> int:
        """Of the optimizer that took most of them."""
        return max((key.number for key in self.timeline), default=0)

    @property
    def optimizers(self) -> int:
        return len({key.optimizer for key in self.timeline if key.kind == STEP})

    def counted(self, which: str) -> Counter[str]:
        """How often something was counted over the whole run, by line of the user's files.

        `waits` for a value, `callers` of what waits, or `synchronisations` with a GPU, as CUDA tells them.
        """
        found: Counter[str] = Counter()
        for event in self.events:
            found.update(event.get(which, {}))
        return found

    @property
    def last_words(self) -> str:
        """Of a program that crashed: the exception."""
        return (self.trace.strip().splitlines() or [""])[-1]


def read(path: Path, *, output: str, seconds: float, timed_out: bool, status: int) -> Record:
    """What the file holds; a last line that was cut off is left out."""
    events: list[dict[str, Any]] = []
    files: dict[str, None] = {}
    reached: dict[int, list[int]] = defaultdict(list)
    end: dict[str, Any] = {"how": "timed out" if timed_out else "died", "status": status}
    memory: list[dict[str, Any]] = []
    processes = further = 0
    torch = ""
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if not line.endswith(b"\n"):
            break
        event = json.loads(line)
        match event["event"]:
            case "step" | "backward" | "rest":
                events.append(event)
            case "memory":
                memory.append(event)
            case "start":
                torch = event["torch"]
            case "further":
                further = 1
            case "file":
                files[event["path"]] = None
            case "reach":
                reached[event["number"]].append(event["step"])
            case "process":
                processes += 1
            case "end" if end["how"] in ("died", "timed out"):
                end = event
    return Record(
        tuple(events),
        tuple(files),
        {number: tuple(steps) for number, steps in reached.items()},
        end["how"],
        end.get("trace", ""),
        end.get("status", 0),
        processes,
        output,
        seconds,
        tuple(memory),
        bool(further),
        torch,
    )

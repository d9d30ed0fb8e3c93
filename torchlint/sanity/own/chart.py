"""Lines over steps as drawings for a page: where each point lies, which numbers stand at the axes, and the same once more as a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 480.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 8.0, 10.0, 26.0
_ROWS = 40
"""Of a table, at most."""
_TICKS = 5
"""Intervals of an axis, at most."""


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    kind: str
    """What it is drawn like: `before` or `after`."""
    points: Mapping[int, float]
    """By step."""


def chart(
    title: str, lines: Sequence[Line], write: Callable[[float], str], *, note: str = "", is_amount: bool = True, base: float = 10.0
) -> dict[str, Any] | None:
    """What a template needs to draw it; None where there is nothing to draw.

    `write` is how a value is written. Where `base` is not ten, the numbers at the axis are multiples of one of its powers.
    An amount is seen against nothing; of other values only what they range over is drawn.
    """
    values = [value for line in lines for value in line.points.values() if math.isfinite(value)]
    steps = sorted({step for line in lines for step in line.points})
    if not values:
        return None
    low, high = min(values), max(values)
    ticks = _ticks(min(low, 0.0) if is_amount else low, high, base)
    low, high = ticks[0], ticks[-1]
    first, last = steps[0], max(steps[-1], steps[0] + 1)

    def across(step: float) -> float:
        return round(_LEFT + (step - first) / (last - first) * (WIDTH - _LEFT - _RIGHT), 1)

    def down(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    shown = steps[:: math.ceil(len(steps) / _ROWS)]
    return {
        "title": title,
        "note": note,
        "width": WIDTH,
        "height": HEIGHT,
        "left": _LEFT,
        "right": WIDTH - _RIGHT,
        "bottom": HEIGHT - _BOTTOM,
        "across": [(across(step), str(step)) for step in _steps(first, steps[-1])],
        "down": [(down(value), write(value)) for value in ticks],
        "lines": [
            {
                "label": line.label,
                "kind": line.kind,
                "path": _path([(across(step), value) for step, value in sorted(line.points.items())], down),
                "dots": [(across(step), down(value)) for step, value in line.points.items() if math.isfinite(value)]
                if len(line.points) <= _ROWS
                else [],
            }
            for line in lines
            if line.points
        ],
        "described": "; ".join(_described(line, write) for line in lines if line.points),
        "rows": [(step, [write(line.points[step]) if step in line.points else "" for line in lines]) for step in shown],
        "thinned": len(shown) < len(steps),
    }


def _path(points: Sequence[tuple[float, float]], down: Callable[[float], float]) -> str:
    """Through all of them, with a gap where one is no number."""
    parts, pen = [], "M"
    for x, value in points:
        if not math.isfinite(value):
            pen = "M"
            continue
        parts.append(f"{pen}{x:g} {down(value):g}")
        pen = "L"
    return " ".join(parts)


def _described(line: Line, write: Callable[[float], str]) -> str:
    first, last = min(line.points), max(line.points)
    if first == last:
        return f"{line.label}: {write(line.points[first])} in step {first}"
    return f"{line.label}: from {write(line.points[first])} in step {first} to {write(line.points[last])} in step {last}"


def _ticks(low: float, high: float, base: float) -> list[float]:
    """Round numbers from below the least to above the most."""
    if high <= low:
        room = abs(low) / 2 or 1.0
        low, high = (0.0, low + room) if low >= 0 else (low - room, low + room)
    # Other bases are for what is counted, of which there are no parts.
    size = _round((high - low) / _TICKS) if base == 10 else base ** max(math.ceil(math.log((high - low) / _TICKS, base) - 1e-9), 0)
    start = math.floor(low / size + 1e-9)
    end = math.ceil(high / size - 1e-9)
    return [number * size for number in range(start, end + 1)]


def _round(size: float) -> float:
    """The next larger of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= size * (1 - 1e-9))


def _steps(first: int, last: int) -> list[int]:
    """Of the steps, those whose numbers are written."""
    size = max(1, round(_round(max(last - first, 1) / _TICKS)))
    start = -(-first // size) * size
    return list(dict.fromkeys([*([first] if start - first >= size / 2 else []), *range(start, last + 1, size)]))

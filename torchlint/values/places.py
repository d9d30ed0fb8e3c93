"""What the places of a function (`x`, `self.x`, `stats['loss']`) hold, in a form of which copies are cheap.

Every branch and every loop begins with a copy and ends with a comparison of copies. A plain dictionary makes both cost as much as there are
names, and a long file takes time in the square of its length; here they cost what changed in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_SMALL = 24
"""Up to so many places, copying them all is cheaper than anything clever."""


class Places(Generic[T]):
    """A mapping from places to what they hold: a layer of its own over frozen layers that it shares with its copies."""

    __slots__ = ("_layers", "_own")

    def __init__(self, own: dict[str, T | None] | None = None, layers: tuple[dict[str, T | None], ...] = ()) -> None:
        self._own: dict[str, T | None] = own if own is not None else {}
        """None marks a place that holds nothing any more, whatever the layers below say."""
        self._layers = layers
        """Newest first; never changed again. Each is at least twice as large as the one above it, so there are few."""

    def get(self, place: str) -> T | None:
        if place in self._own:
            return self._own[place]
        for layer in self._layers:
            if place in layer:
                return layer[place]
        return None

    def __contains__(self, place: str) -> bool:
        return self.get(place) is not None

    def __getitem__(self, place: str) -> T:
        found = self.get(place)
        if found is None:
            raise KeyError(place)
        return found

    def __setitem__(self, place: str, value: T) -> None:
        self._own[place] = value

    def forget(self, place: str) -> None:
        """Let a place hold nothing; as `del`, but for one that holds nothing already."""
        if self._layers:
            self._own[place] = None
        else:
            self._own.pop(place, None)

    def items(self) -> Iterator[tuple[str, T]]:
        """All places that hold something, each once."""
        if not self._layers:
            yield from ((place, value) for place, value in self._own.items() if value is not None)
            return
        seen: set[str] = set()
        for layer in (self._own, *self._layers):
            for place, value in layer.items():
                if place not in seen:
                    seen.add(place)
                    if value is not None:
                        yield place, value

    def copy(self) -> Places[T]:
        """One that holds the same now; from here on the two change apart."""
        if not self._layers and len(self._own) <= _SMALL:
            return Places(dict(self._own))
        if self._own:
            top, layers = self._own, self._layers
            while layers and len(layers[0]) <= 2 * len(top):
                top, layers = {**layers[0], **top}, layers[1:]
            self._own, self._layers = {}, (top, *layers)
        return Places({}, self._layers)

    def apart(self, others: Iterable[Places[T]]) -> set[str]:
        """The places in which this one and the others may differ: those changed since the last state that all have in common."""
        every = [self, *others]
        shared = 0
        shortest = min(len(each._layers) for each in every)
        while shared < shortest and all(each._layers[-1 - shared] is self._layers[-1 - shared] for each in every):
            shared += 1
        return {place for each in every for layer in (each._own, *each._layers[: len(each._layers) - shared]) for place in layer}

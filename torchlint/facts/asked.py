"""Sets of names that are not listed but asked for: whether one belongs is read off PyTorch's declarations when it is asked."""

from collections.abc import Callable, Collection


class Asked:
    """What a declaration says of a name, and those names of which none says it. Members cannot be counted, only asked for."""

    def __init__(self, holds: Callable[[str], bool], also: Collection[str] = (), never: Collection[str] = ()) -> None:
        self._holds = holds
        self._known = {**dict.fromkeys(also, True), **dict.fromkeys(never, False)}

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._holds(name)
        return known

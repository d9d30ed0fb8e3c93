"""What has changed in torch's interface: names that were removed, deprecated or moved, arguments that were, and how each is written today.

One row says it all of one name, and the rules read nothing else. PyTorch's declarations say which names there are, but not which of them
are on their way out, so that the rows are typed by hand, each with its reference. They are read when a rule first asks.
"""

from collections.abc import Iterator
from functools import cache

from torchlint.facts.changes.row import NUMBER, Change, Does, Kind, Recipe


@cache
def changes() -> dict[str, Change]:
    """Every row by its name."""
    return {each.name: each for each in _rows()}


def _rows() -> Iterator[Change]:
    from torchlint.facts.changes import amp, linear_algebra, modules, places

    for module in (amp, linear_algebra, modules, places):
        yield from module.ROWS


__all__ = ["NUMBER", "Change", "Does", "Kind", "Recipe", "changes"]

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


@cache
def legacy_orders() -> dict[str, tuple[str, ...]]:
    """Of operations that once took a number ahead of tensors: what stood where, in each form that there was, as `alpha other`."""
    from torchlint.facts.changes import arguments

    return arguments.LEGACY


def _rows() -> Iterator[Change]:
    from torchlint.facts.changes import amp, arguments, linear_algebra, modules, places, vision

    for module in (amp, arguments, linear_algebra, modules, places, vision):
        yield from module.ROWS


__all__ = ["NUMBER", "Change", "Does", "Kind", "Recipe", "changes", "legacy_orders"]

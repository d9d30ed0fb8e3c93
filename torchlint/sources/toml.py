"""TOML, read by the standard library where it can."""

from __future__ import annotations

from typing import Any


def parse(text: str) -> dict[str, Any]:
    """The document. Raises `ValueError` for text that is not TOML."""
    import sys

    # Both are imported only when there is something to read: a run without configuration starts a millisecond or two sooner.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    document: dict[str, Any] = tomllib.loads(text)
    return document

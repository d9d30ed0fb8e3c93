"""Which torchlint it is, and what it was told: findings of another one, or under other settings, are not those of this run."""

from __future__ import annotations

import os
import sys
from dataclasses import fields, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from torchlint import __version__
from torchlint.program.grounds import digest
from torchlint.settings import Settings

_PACKAGE = Path(__file__).parents[1]
_IRRELEVANT = frozenset("exclude extend_exclude include output_format baseline cache_dir".split())
"""Settings that say which files are checked and how findings are shown, not what is found."""


@lru_cache(maxsize=1)
def torchlint_itself() -> str:
    """The version, and the sizes and times of its own sources: rules change between two versions while they are written."""
    parts = [__version__, sys.version, sys.platform]
    parts += _signatures(str(_PACKAGE))
    parser = find_spec("libcst")
    if parser is not None and parser.origin is not None:
        parts += _signature(parser.origin)
        parts += _signature(os.path.join(os.path.dirname(parser.origin), "_version.py"))
    return digest("\n".join(parts).encode("utf-8", "surrogatepass"))


def _signatures(folder: str) -> list[str]:
    found: list[str] = []
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if entry.is_dir():
            if entry.name != "__pycache__" and not entry.name.startswith("_"):  # the rule book and its cases: nothing of them is run
                found += _signatures(entry.path)
        else:
            found += _signature(entry.path)
    return found


def _signature(path: str) -> list[str]:
    try:
        state = os.stat(path)
    except OSError:
        return [path]
    return [path, str(state.st_size), str(state.st_mtime_ns)]


@lru_cache(maxsize=64)
def told(settings: Settings) -> str:
    """A digest of what the settings say about findings."""
    plain = Settings()
    layers, layer = [], settings
    while True:
        below = layer.below
        layers.append(replace(layer, below=None, **{name: getattr(plain, name) for name in _IRRELEVANT}))
        if below is None:
            break
        layer = below
    text = repr([[repr(getattr(each, field.name)) for field in fields(each)] for each in layers])
    return digest(text.encode("utf-8", "surrogatepass"))

"""The configuration as a JSON Schema, for editors: made from the same table that reads it."""

from __future__ import annotations

from typing import Any

from torchlint.settings import EXTEND, EXTEND_HELP, KEYS, SHAPES, Key


def schema() -> dict[str, Any]:
    """What may stand in `torchlint.toml`, and in `[tool.torchlint]` of `pyproject.toml`."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Configuration of torchlint",
        "type": "object",
        "additionalProperties": False,
        "properties": {EXTEND: {"description": EXTEND_HELP, "type": "string"}, **{key.name: _property(key) for key in KEYS.values()}},
    }


def _property(key: Key) -> dict[str, Any]:
    described = {"description": key.help, **SHAPES[key.read]}
    if key.default is None:
        return described
    if described["type"] == "object":
        return {**described, "default": dict(key.default)}
    return {**described, "default": list(key.default) if isinstance(key.default, tuple) else key.default}

"""Small notebooks that the tests write."""

import json
import re
from typing import Any


def cell(source: str | list[str], kind: str = "code", **more: Any) -> dict[str, Any]:
    """One cell, with its source as a list of rows unless it is given as a string in a list of its own choosing."""
    rows = re.findall(r"[^\n]*\n|[^\n]+", source) if isinstance(source, str) else source
    outputs = {"execution_count": 1, "outputs": [{"output_type": "stream", "text": ["a \\ \u00e9\n"]}]} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {"id": "x"}, **outputs, "source": rows, **more}


def notebook(*cells: dict[str, Any] | str, metadata: dict[str, Any] | None = None, **layout: Any) -> bytes:
    content = {
        "nbformat": 4,
        "cells": [each if isinstance(each, dict) else cell(each) for each in cells],
        "metadata": metadata or {"kernelspec": {"language": "python", "name": "python3"}},
        "nbformat_minor": 5,
    }
    return (json.dumps(content, **{"indent": 1, "ensure_ascii": False, **layout}) + "\n").encode()


def sources(data: bytes) -> list[str]:
    return ["".join(each["source"]) for each in json.loads(data)["cells"]]

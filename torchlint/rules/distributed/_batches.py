"""How many samples a loader hands out at a time: one alone leaves nothing to share out among the GPUs."""

from __future__ import annotations

import re

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node


def gives_one(file: FileAnalysis, loader: cst.Call) -> bool:
    keywords = {arg.keyword.value: arg.value for arg in loader.args if arg.keyword is not None}
    positional = [arg.value for arg in loader.args if arg.keyword is None]
    size = keywords.get("batch_size") or (positional[1] if len(positional) > 1 else None)
    if any(arg.star for arg in loader.args):
        return False
    sampler = keywords.get("batch_sampler")
    if sampler is not None:
        return _gathers_one(file, sampler)
    if size is None or literal(size) == 1:
        return True
    return isinstance(size, cst.Attribute) and isinstance(size.value, cst.Name) and defaults_to_one(file, size.attr.value)


def defaults_to_one(file: FileAnalysis, option: str) -> bool:
    """Whether the command line's option of this name is 1 by default: in this file, or else in all others of the run that have it."""
    flag = option.replace("_", "[-_]?")
    given = rf"""\badd_argument\([^)]*["']--?{flag}["'][^)]*\bdefault\s*=\s*"""
    one, other = re.compile(rf"{given}1\s*[,)]", re.IGNORECASE), re.compile(rf"{given}(?!1\s*[,)])", re.IGNORECASE)
    if one.search(file.text) or other.search(file.text):
        return other.search(file.text) is None
    return file.is_written_elsewhere(one) and not file.is_written_elsewhere(other)


def asks_for_one(file: FileAnalysis, wrap: cst.Call) -> bool:
    """Whether the devices of a wrap are as many as an option says, `device_ids=range(args.gpus)`, and that is 1 by default."""
    given = {arg.keyword.value if arg.keyword is not None else place: arg.value for place, arg in enumerate(wrap.args)}
    devices: cst.BaseExpression | None = given.get("device_ids", given.get(1))
    made = [each.value for each in file.names.bindings(devices)] if isinstance(devices, cst.Name) else [devices]
    return len(made) == 1 and _counts_one(file, made[0])


def _counts_one(file: FileAnalysis, devices: Node | None) -> bool:
    if not isinstance(devices, cst.Call) or not isinstance(devices.func, cst.Name) or len(devices.args) != 1:
        return False
    inner = devices.args[0].value
    if devices.func.value == "list":
        return _counts_one(file, inner)
    if devices.func.value != "range" or not isinstance(inner, cst.Attribute) or not isinstance(inner.value, cst.Name):
        return False
    return defaults_to_one(file, inner.attr.value)


def _gathers_one(file: FileAnalysis, sampler: Node) -> bool:
    """`BatchSampler(…, batch_size=1)`, perhaps under a name."""
    made = [each.value for each in file.names.bindings(sampler)] if isinstance(sampler, cst.Name) else [sampler]
    sizes = [
        next((arg.value for arg in each.args if arg.keyword is not None and arg.keyword.value == "batch_size"), None)
        for each in made
        if isinstance(each, cst.Call)
    ]
    return len(sizes) == len(made) > 0 and all(isinstance(size, cst.Integer) and size.value == "1" for size in sizes)

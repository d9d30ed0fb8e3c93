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


def _gathers_one(file: FileAnalysis, sampler: Node) -> bool:
    """`BatchSampler(…, batch_size=1)`, perhaps under a name."""
    made = [each.value for each in file.names.bindings(sampler)] if isinstance(sampler, cst.Name) else [sampler]
    sizes = [
        next((arg.value for arg in each.args if arg.keyword is not None and arg.keyword.value == "batch_size"), None)
        for each in made
        if isinstance(each, cst.Call)
    ]
    return len(sizes) == len(made) > 0 and all(isinstance(size, cst.Integer) and size.value == "1" for size in sizes)

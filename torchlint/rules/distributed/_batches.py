"""How many samples a loader hands out at a time, and over how many GPUs: one alone leaves nothing to share out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants


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
    return _defaults_to(file, option, "1")


def _defaults_to(file: FileAnalysis, option: str, wanted: str) -> bool:
    flag = option.replace("_", "[-_]?")
    given = rf"""\((?:\s*["']-\w+["']\s*,)*\s*["']--?{flag}["'][^)]*\bdefault\s*=\s*"""
    one, other = re.compile(rf"{given}{wanted}\s*[,)]", re.IGNORECASE), re.compile(rf"{given}(?!{wanted}\s*[,)])", re.IGNORECASE)
    if one.search(file.text) or other.search(file.text):
        return other.search(file.text) is None
    return file.is_written_elsewhere(one) and not file.is_written_elsewhere(other)


def asks_for_one(file: FileAnalysis, wrap: cst.Call) -> bool:
    """Whether the devices of a wrap, or those that the program sees at all, are what an option says, and that is one by default."""
    given = {arg.keyword.value if arg.keyword is not None else place: arg.value for place, arg in enumerate(wrap.args)}
    devices = given.get("device_ids", given.get(1))
    if devices is not None and any(_counts_one(file, each) for each in _said(file, devices)):
        return True
    return any(_names_one(file, part) for shown in shown_devices(file) for part in (shown.value, *descendants(shown.value)))


def shown_devices(file: FileAnalysis) -> Iterator[cst.Assign]:
    """`os.environ["CUDA_VISIBLE_DEVICES"] = …`"""
    for target in file.nodes(cst.Subscript):
        key = target.slice[0].slice if len(target.slice) == 1 else None
        assign = file.parent(file.parent(target) or target)
        if isinstance(key, cst.Index) and literal(key.value) == "CUDA_VISIBLE_DEVICES" and isinstance(assign, cst.Assign):
            yield assign


def _said(file: FileAnalysis, node: Node, deep: int = 4) -> Iterator[Node]:
    """An expression and its parts, and those behind its names."""
    for part in (node, *descendants(node)):
        yield part
        if deep and isinstance(part, cst.Name) and part in file.tree.order:
            for binding in file.names.bindings(part):
                if binding.value is not None and binding.path is None:
                    yield from _said(file, binding.value, deep - 1)


def _counts_one(file: FileAnalysis, part: Node) -> bool:
    """`range(args.gpus)`, or `args.gpus.split(",")`"""
    if not isinstance(part, cst.Call):
        return False
    func = part.func
    if isinstance(func, cst.Attribute):
        return func.attr.value == "split" and _names_one(file, func.value)
    counted = part.args[0].value if isinstance(func, cst.Name) and func.value == "range" and len(part.args) == 1 else None
    return isinstance(counted, cst.Attribute) and isinstance(counted.value, cst.Name) and defaults_to_one(file, counted.attr.value)


def _names_one(file: FileAnalysis, part: Node) -> bool:
    """Whether it is an option, and its default the number of a device."""
    if not isinstance(part, cst.Attribute) or not isinstance(part.value, cst.Name):
        return False
    return _defaults_to(file, part.attr.value, r"""["']?\d+["']?""")


def _gathers_one(file: FileAnalysis, sampler: Node) -> bool:
    """`BatchSampler(…, batch_size=1)`, perhaps under a name."""
    made = [each.value for each in file.names.bindings(sampler)] if isinstance(sampler, cst.Name) else [sampler]
    sizes = [
        next((arg.value for arg in each.args if arg.keyword is not None and arg.keyword.value == "batch_size"), None)
        for each in made
        if isinstance(each, cst.Call)
    ]
    return len(sizes) == len(made) > 0 and all(isinstance(size, cst.Integer) and size.value == "1" for size in sizes)

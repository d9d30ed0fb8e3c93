"""The fix of a tensor that is made on the CPU and moved: the constructor is told the device, and what may be assumed of the values."""

from __future__ import annotations

import re

import libcst as cst

from torchlint import rewrite
from torchlint.facts.factories import CONSTANT_FACTORIES, DEVICE_FACTORIES, DRAWN_FACTORIES, ROUNDED_FACTORIES
from torchlint.facts.written import word
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import UNSAFE, Fix
from torchlint.rules.device._moves import CreatedThenMoved
from torchlint.values.devices import Sure
from torchlint.values.flow import Analysis

_REPLACEABLE = "|".join(("to", "cuda", *sorted(path.rpartition(".")[2] for path in DEVICE_FACTORIES)))
_PATCHED = rf"(?:\.(?:{_REPLACEABLE})\s*=(?!=)|\s*,\s*[\"'](?:{_REPLACEABLE})[\"'])"
_QUOTED = rf"torch\.(?:Tensor\.)?(?:{_REPLACEABLE})[\"']"
_OTHER_TENSORS = re.compile(
    "|".join(
        [
            word(r"set_default_(?:device|tensor_type)\b"),
            word(r"with\b[^\n]*(?:[\s,(](?:torch\.)?device\(|device\s*:)"),
            *(word(owner + _PATCHED) for owner in ("torch", "Tensor")),
            *(quote + _QUOTED for quote in "\"'"),
        ]
    )
)
"""Where a program makes its tensors elsewhere by default, or puts something else in the place of torch's functions."""
_WITHOUT_DATA = re.compile(r"""["']meta["']""")


def device_of(file: Analysis, found: CreatedThenMoved) -> str:
    """What `device=` has to say."""
    device = found.move.device
    if device is None:
        return '"cuda"'
    text = file.source(device)
    if found.move.is_cuda and isinstance(device, cst.Integer):
        return f'"cuda:{text}"'  # cuda(1) is a GPU whatever the default accelerator is
    return text


def built_in_place(file: FileAnalysis, found: CreatedThenMoved) -> Fix | None:
    """The tensor made where it is to live; None where `device=` does not say the same."""
    move, made, device = found.move, found.factory, device_of(file, found)
    if move.extra or move.dtype is not None and (found.is_typed or found.is_wrapped) or found.device_comes_later:
        return None
    if found.is_wrapped and found.creation is not None:
        return None
    if move.is_cuda and move.sure is Sure.BY_NAME:
        return None  # cuda(None) is the current GPU, device=None the CPU
    text = _built(made, f"device={device}", *((f"dtype={file.source(move.dtype)}",) if move.dtype is not None else ()))
    if found.creation is None:
        fix = (
            rewrite.replace(move.call, text)
            if move.dtype is not None
            else rewrite.insert_argument(made, f"device={device}") + rewrite.unwrap_method(move.call)
        )
    elif _keeps_comment(file, found):
        fix = rewrite.delete_statement(found.creation) + rewrite.replace(move.call, text)
    else:
        fix = rewrite.replace(made, text) + rewrite.delete_statement(move.call)
    fix = fix.saying("build the tensor on the device")
    is_known = _is_exact(found) and not found.is_wrapped and move.sure is Sure.KNOWN and _is_plain(file, found)
    return fix if is_known and _is_one(file, found) else fix.at_most(UNSAFE)


def _built(made: cst.Call, *arguments: str) -> str:
    """The constructor's call with these keywords at its end."""
    added = cst.ensure_type(cst.parse_expression(f"f({', '.join(map(rewrite.argument, arguments))})"), cst.Call).args
    args = [*made.args[:-1], made.args[-1].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))] if made.args else []
    return cst.Module([]).code_for_node(made.with_changes(args=[*args, *added]))


def _keeps_comment(file: Analysis, found: CreatedThenMoved) -> bool:
    """Whether only the statement that moves carries a comment, right behind the one that makes the tensor: then that row stays."""
    first, second = (file.statement(node) for node in (found.factory, found.move.call))
    comments = [line.trailing_whitespace.comment for line in (first, second) if isinstance(line, cst.SimpleStatementLine)]
    return isinstance(found.creation, cst.Assign) and not found.between and [each is not None for each in comments] == [False, True]


def _is_exact(found: CreatedThenMoved) -> bool:
    """Whether the device gives the very elements that the CPU gives, and the random stream goes on alike."""
    if found.path in DRAWN_FACTORIES or found.move.dtype is not None and found.path not in CONSTANT_FACTORIES:
        return False
    return found.path not in ROUNDED_FACTORIES or found.path == "torch.arange" and found.counts_whole_numbers


def _is_plain(file: FileAnalysis, found: CreatedThenMoved) -> bool:
    """Whether torch's own functions make a tensor with data, and move it."""
    like = found.factory.args[0].value if found.path.endswith("_like") else None
    if like is not None and (not file.value(like).is_tensor or file.is_written(_WITHOUT_DATA)):
        return False
    return not file.is_written(_OTHER_TENSORS)


def _is_one(file: FileAnalysis, found: CreatedThenMoved) -> bool:
    """Whether nobody can tell that two assignments have become one: not even where the move fails, and somebody catches that."""
    if found.creation is None:
        return True
    target = found.creation.targets[0].target if isinstance(found.creation, cst.Assign) else found.creation.target
    if found.between or not isinstance(target, cst.Name):
        return False  # an attribute outlives the failure, and may be a property
    function = file.function(target)
    for each in file.ancestors(found.creation):
        if each is function:
            break
        if isinstance(each, (cst.Try, cst.TryStar, cst.ClassDef)) or isinstance(each, cst.With) and not _lets_through(file, each):
            return False
    scope = file.names.scope(target).lookup(target.value)
    return scope is not None and scope.node is function and all(file.function(use) is function for use in file.references(target))


def _lets_through(file: FileAnalysis, block: cst.With) -> bool:
    """Whether a context is one of torch's: those catch nothing."""
    contexts = (item.item for item in block.items)
    return all(isinstance(each, cst.Call) and (file.qualname(each.func) or "").startswith("torch.") for each in contexts)

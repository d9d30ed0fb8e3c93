"""What is written to a file with `torch.save`: modules as they are, and whether the program reads them back so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.signatures import signatures
from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.values.binding import bind, parameters_of
from torchlint.values.value import Kind, Value

_PASSING = frozenset({"io.BytesIO", "tempfile.TemporaryFile", "tempfile.SpooledTemporaryFile"})
"""What nobody else reads, and later runs do not find."""
_COMPILED = ("torch.jit.", "torch.quantization.", "torch.ao.", "torch.fx.", "torch.export.", "torch.package.")
"""What makes modules whose code is in them, or whose state alone would not do."""
_READS = re.compile(r"\b(?:torch|th)\.load\(|\btorch[ \t]+import\b[^\n]*\bload\b")
_READ_WHOLE = re.compile(r"(?<!load_state_dict\()\b(?:torch|th)\.load\(")


@dataclass(frozen=True, eq=False)
class SavedModule:
    """A module that goes into a file with its code's names."""

    call: cst.Call
    module: cst.BaseExpression
    is_read_whole: bool
    """Whether something in the program may take what it loads for more than a state."""
    is_read: bool
    """Whether the program reads such files at all."""


def whole_modules(file: FileAnalysis) -> Iterator[SavedModule]:
    """Modules that are pickled: `torch.save(model, path)`, or as an entry of a dictionary that is spelt out there."""
    for call in file.calls("torch.save"):
        bound = bind(call, signatures("torch.save")[0].parameters)
        saved, target = bound["obj"], bound["f"]
        if saved is None or target is None or _is_in_memory(file, target):
            continue  # read back by the same process
        for each in _entries(saved):
            if (_is_plain_module(file, file.value(each)) or _gets_modules(file, each)) and not _is_kept_as_well(file, call, each):
                yield SavedModule(call, each, file.is_written(_READ_WHOLE), file.is_written(_READS))


def _is_kept_as_well(file: FileAnalysis, call: cst.Call, module: cst.BaseExpression) -> bool:
    """Whether the same function saves the state too: who needs it has it."""
    state = f"{file.source(module)}.state_dict()"
    others = (each for each in file.calls("torch.save") if each is not call and file.function(each) is file.function(call))
    saved = (bind(each, signatures("torch.save")[0].parameters)["obj"] for each in others)
    return any(state in text for each in saved if each is not None for text in _texts(file, each))


def _texts(file: FileAnalysis, saved: cst.BaseExpression) -> Iterator[str]:
    """What is saved as it is written, or where it has a name, what the name was given."""
    yield file.source(saved)
    if isinstance(saved, cst.Name):
        yield from (file.source(binding.value) for binding in file.names.bindings(saved) if binding.value is not None)


def _is_in_memory(file: FileAnalysis, target: cst.BaseExpression) -> bool:
    """`io.BytesIO()`, or a file that goes with its name, by a name or in a `with` too."""
    made = [target]
    if isinstance(target, cst.Name):
        bound = file.names.bound(target)
        made += [binding.value for binding in file.names.bindings(target) if binding.value is not None]
        items = (item for each in bound for item in file.ancestors(each) if isinstance(item, cst.WithItem))
        made += [item.item for item in items]
    return any(isinstance(each, cst.Call) and file.qualname(each.func) in _PASSING for each in made)


def _entries(saved: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(saved, cst.Dict):
        yield from (each.value for each in saved.elements if isinstance(each, cst.DictElement))
    else:
        yield saved


def _gets_modules(file: FileAnalysis, saved: cst.BaseExpression) -> bool:
    """Whether it is a parameter of a helper, and every call of that in the program hands over a module."""
    function = file.function(saved)
    names = [each.name.value for each in function.params.params] if isinstance(function, cst.FunctionDef) else []
    if not isinstance(saved, cst.Name) or not isinstance(function, cst.FunctionDef) or saved.value not in names:
        return False
    if file.owner(function) is not None or len(file.names.bindings(saved)) != 1:
        return False
    elsewhere = file.called_elsewhere(function)
    sites = [*((file, each) for each in callers.calls(file, function)), *(elsewhere or ())]
    given = [(where, bind(call, parameters_of(function))[saved.value]) for where, call in sites]
    return elsewhere is not None and bool(given) and all(each is not None and _is_plain_module(at, at.value(each)) for at, each in given)


def _is_plain_module(file: FileAnalysis, value: Value) -> bool:
    if value.kind is not Kind.MODULE:
        return False
    made = (each.node for each in value.lineage())
    return not any((file.qualname(node.func) or "").startswith(_COMPILED) for node in made if isinstance(node, cst.Call))

"""Checkpoints that are read onto the device that they were written from, in a program that runs without it too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.signatures import signatures
from torchlint.facts.tensors import MODULE_EVIDENCE
from torchlint.model.conditions import when
from torchlint.model.training import loops
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.binding import Bound, bind
from torchlint.values.value import Kind, Value

_LOOKS = ("is_available", "device_count", "current_accelerator")
_ASKS_FOR_DEVICE = re.compile(r"is_available|device_count|cuda|gpu|device", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A call of `torch.load` that says nothing of devices."""

    call: cst.Call
    loading: cst.Call | None
    """The `load_state_dict` that copies what is read to where its parameters are; None where it is used as a model itself."""

    @property
    def keeps_devices(self) -> bool:
        """Whether what is read is copied, so that it does not matter where it was."""
        return self.loading is not None and not any(arg.star or _name(arg) == "assign" for arg in self.loading.args)


def unmapped(file: FileAnalysis) -> Iterator[Checkpoint]:
    """Those of a file that looks whether there is a GPU, and neither trains nor has written the checkpoint itself."""
    calls = [call for call in file.calls("torch.load") if _is_unmapped(bind(call, signatures("torch.load")[0].parameters))]
    if not calls or any(True for _ in file.calls("torch.save")) or not _chooses(file):
        return
    if loops(file) or any(_makes_optimizer(file, call) or _needs_gpu(file, call) for call in file.nodes(cst.Call)):
        return  # it goes on where it was trained; or there is a GPU wherever it runs
    loadings = [each for each in file.methods("load_state_dict") if _holds_tensors(file, each)]
    for call in calls:
        if _was_asked(file, call) or _was_trained(file, call):
            continue
        value = file.value(call)
        into = next((each for each in loadings if each.args and _reads(file, each, call)), None)
        if into is not None or value.kind is Kind.MODULE or _holds_model(file, call):
            yield Checkpoint(call, into)


def _chooses(file: FileAnalysis) -> bool:
    """Whether the program looks whether there is a GPU, or goes there only where an option says so."""
    return any(file.tree.attributes.get(each) for each in _LOOKS) or any(_is_left_open(file, each) for each in file.methods("cuda"))


def _is_left_open(file: FileAnalysis, node: Node) -> bool:
    """Whether a question about devices decides that the program does not answer itself, as by `use_cuda = True`."""
    names = (each.test for each in when(file, node) if isinstance(each.test, cst.Name))
    bound = (binding.value for name in names for binding in file.names.bindings(name))
    return _was_asked(file, node) and not any(literal(each) for each in bound if each is not None)


def _holds_model(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a part of what is read is a model: it is put into a mode, asked for its parameters, or moved and called."""
    asked = (each.func.value for each in file.methods(*MODULE_EVIDENCE) if isinstance(each.func, cst.Attribute))
    if any(made.node is call for receiver in asked for made in file.value(receiver).lineage()):
        return True
    names = (each.func for each in file.nodes(cst.Call) if isinstance(each.func, cst.Name))
    return any(_is_part_of(file.value(name), call) for name in names)


def _is_part_of(called: Value, call: cst.Call) -> bool:
    """Whether what is called is what was read, or a part of it, perhaps moved; and not made of it by a function."""
    nodes = [each.node for each in called.lineage()]
    made = (each for each in nodes if isinstance(each, cst.Call) and each is not call)
    return any(each is call for each in nodes) and all(isinstance(each.func, cst.Attribute) for each in made)


def _makes_optimizer(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether the program trains, be it by a function of another file."""
    made = file.value(call)
    return made.kind is Kind.OPTIMIZER and (made.qualname is not None or made.cls is not None)


def _was_trained(file: FileAnalysis, load: cst.Call) -> bool:
    """Whether the same run trains before it reads, by a function of another file."""
    before = (call for call in file.nodes(cst.Call) if file.function(call) is file.function(load) and file.is_after(load, call))
    paths = (file.qualname(call.func) for call in before)
    return any(path is not None and file.imports_training(path) for path in paths)


def _holds_tensors(file: FileAnalysis, loading: cst.Call) -> bool:
    """Whether the state may have tensors in it; that of a scaler or a scheduler has numbers."""
    func = loading.func
    return isinstance(func, cst.Attribute) and file.value(func.value).kind not in (Kind.SCALER, Kind.SCHEDULER)


def _was_asked(file: FileAnalysis, node: Node) -> bool:
    """Whether a place is reached only after a question about devices. Where the answer was that there is no GPU, nothing is settled."""
    tests = (each.test for each in when(file, node) if each.arm is not False or not _asks_for_gpu(file, each.test))
    return any(isinstance(test, cst.BaseExpression) and _ASKS_FOR_DEVICE.search(file.source(test)) for test in tests)


def _asks_for_gpu(file: FileAnalysis, test: Node) -> bool:
    return isinstance(test, cst.Call) and file.qualname(test.func) == "torch.cuda.is_available"


def _needs_gpu(file: FileAnalysis, call: cst.Call) -> bool:
    """`x.cuda()`, `x.to("cuda")`, `torch.cuda.set_device(0)`, and no question about it."""
    func = call.func
    path = file.qualname(func)
    if path is None and isinstance(func, cst.Attribute) and func.attr.value in ("cuda", "to"):
        texts = [literal(arg.value) for arg in call.args]
        uses = func.attr.value == "cuda" or any(isinstance(each, str) and each.startswith("cuda") for each in texts)
    else:
        uses = path == "torch.cuda.set_device"
    return uses and not _was_asked(file, call)


def _is_unmapped(bound: Bound) -> bool:
    return not bound.is_spread and bound["map_location"] is None


def _reads(file: FileAnalysis, loading: cst.Call, call: cst.Call) -> bool:
    """Whether `load_state_dict` is given what was read, or a part of it."""
    given: Node = loading.args[0].value
    return any(each.node is call for each in file.value(given).lineage())


def _name(arg: cst.Arg) -> str | None:
    return arg.keyword.value if arg.keyword is not None else None

"""What the program around a `DataParallel` does, and what it lacks to run with one process per GPU instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

import libcst as cst

from torchlint.facts.modules import LOADERS
from torchlint.model import program
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.distributed._batches import asks_for_one, defaults_to_one, gives_one, shown_devices
from torchlint.rules.distributed._loading import shuffles_elsewhere, shuffling
from torchlint.rules.distributed._trained import Use, uses
from torchlint.rules.distributed._unwrapping import loads_keys
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Value

DDP = "torch.nn.parallel.DistributedDataParallel"
_INFERENCE = ("torch.no_grad", "torch.inference_mode", "torch.set_grad_enabled")
_BACKWARD = re.compile(r"\.backward\(")
_MAKES_OPTIMIZER = re.compile(r"optimi[sz]er[^.]*$", re.IGNORECASE)
"""`engine.build_optimizer`, of a package or another file: who asks for one trains."""
_OPTIMIZER = r"\b(?:optim\.\w+|Adam\w*|SGD|RMSprop)\s*\("

_SMALL = re.compile(r"\bCIFAR100?\b|\b(?:Fashion|K|E|Q)?MNIST\b|\bSVHN\b|\bUSPS\b")
_FILLED = re.compile(r"\bregister_buffer\(\s*[\"']\w+[\"']\s*,\s*(?:\w+\.)*(?:zeros|randn?|empty)\(")
_HUGE = re.compile(r"\bImageNet\b", re.IGNORECASE)


_LAUNCHES = re.compile(r"\bDistributedDataParallel\b|\binit_process_group\b|\bDDP\b")
_LARGE = re.compile(r"\b(?:ImageFolder|ImageNet|LSUN|CelebA|COCO|Cityscapes)\b", re.IGNORECASE)


class Course(Enum):
    """What a program does with a wrapped module."""

    TRAINS = "trains"
    TRAINS_ELSEWHERE = "trains elsewhere"
    """Another file of the run gets it, and trains."""
    PREDICTS = "predicts"


_Advice = tuple[str, tuple[tuple[Node, str], ...]]


class Program:
    """One file, as far as its processes and its training go."""

    def __init__(self, file: FileAnalysis) -> None:
        self.file = file
        attributes = file.tree.attributes
        self.trains = bool(attributes.get("backward")) or any(_is_training(file, call) for call in file.nodes(cst.Call))
        """Whether it runs backward, or makes an optimizer."""
        self._only_runs = not self.trains and bool(attributes.get("eval") or next(file.calls(*_INFERENCE), None))

    def course(self, call: cst.Call) -> Course | None:
        """What a wrapped module is there for; None where it is never called, or is only run beside one that is trained."""
        done = uses(self.file, call)
        if Use.REPEATED in done and _may_normalize(self.file, call):
            return None  # the buffers that each pass of `DistributedDataParallel` sends around are changed before its backward: it raises
        if Use.STEPPED in done:
            return Course.TRAINS
        if Use.TRAINED in done or Use.HANDED in done and self.trains:
            return None if self._is_left_to_itself(call) else Course.TRAINS
        if Use.HANDED in done and not self._only_runs:
            is_trained = self._is_trained_elsewhere(call) and not defaults_to_one(self.file, "batch_size")
            return Course.TRAINS_ELSEWHERE if is_trained else None
        predicts = done and not self.trains and not loads_keys(self.file, call) and self._is_program(call)
        return Course.PREDICTS if predicts else None

    def _is_program(self, call: cst.Call) -> bool:
        """Whether the file is started itself, and not only helps others of which one trains: with what measures a network, for instance."""
        is_started = self.file.function(call) is self.file.module or "__main__" in self.file.text
        return is_started or not self.file.is_written_elsewhere(_BACKWARD)

    def has_one_device(self, call: cst.Call) -> bool:
        """Whether the program shows itself a single GPU: at its top, or in the branch that wraps."""
        file = self.file
        for assign in shown_devices(file):
            block = file.parent(file.statement(assign))
            is_before = block is not None and file.is_inside(call, block) and file.is_after(call, assign)
            if _names_one(assign.value) and (file.function(assign) is file.module or is_before):
                return True
        return False

    def takes_single_samples(self) -> bool:
        """Whether every loader in sight hands out one sample at a time: then there is nothing to scatter, and only one GPU works.

        To train there has to be one that shuffles: else the batches may come from elsewhere.
        """
        loaders = list(self.file.calls(*LOADERS))
        is_known = bool(loaders) and (not self.trains or bool(shuffling(self.file)))
        return is_known and all(gives_one(self.file, call) for call in loaders)

    def _is_trained_elsewhere(self, call: cst.Call) -> bool:
        """Whether a file that calls the function which wraps, or the class, makes an optimizer too."""
        function = self.file.function(call)
        owner = self.file.owner(function)
        name = owner.name if owner is not None else function.name.value if isinstance(function, cst.FunctionDef) else ""
        together = rf"\A(?=.*\b{name}\s*\()(?=.*{_OPTIMIZER})"
        return bool(name) and self.file.is_written_elsewhere(re.compile(together, re.DOTALL))

    def _is_left_to_itself(self, call: cst.Call) -> bool:
        """Whether the optimizers made around the wrap are known to be for other models."""
        file = self.file
        wrapped = {id(each) for each in file.value(call).lineage()}
        flow = file.flow(file.function(call))
        made = [each for each in flow.values.values() if each.kind is Kind.OPTIMIZER and isinstance(each.node, cst.Call)]
        if any(not isinstance(each.node, cst.Call) or not _is_optimizer(file, each.node) for each in made):
            return False  # by somebody else, of whatever
        modules = [{id(whole) for part in each.lineage() if part.kind is Kind.MODULE for whole in _wholes(file, part)} for each in made]
        return bool(modules) and all(each and not each & wrapped for each in modules)

    def would_gain(self, call: cst.Call, course: Course) -> bool:
        """Whether a process per GPU is known to fit: the wrap trains on batches of weight that a `DistributedSampler` could deal out.

        A program that draws its batches by a sampler of its own may need them whole, and so may one whose loaders are not found, in this
        file or where the run has them; one that can start a process per GPU already, itself or by another file, was left its other way on
        purpose; a loss that keeps something of its own would keep it once per process; pictures of 32 pixels keep no second GPU busy; and
        one GPU by default is what most runs have, but for those on ImageNet.
        """
        text = self.file.text
        if course is not Course.TRAINS or "DistributedDataParallel" in text:
            return False
        if asks_for_one(self.file, call) and not _HUGE.search(text) or self._has_twin(call) or self._keeps_beside(call):
            return False
        if shuffling(self.file):
            return not _SMALL.search(text) or _LARGE.search(text) is not None
        if next(self.file.calls(*LOADERS), None) is not None or self._has_partner(call) or not shuffles_elsewhere(self.file):
            return False
        if self.file.is_written(_LAUNCHES):
            return False
        return not self.file.is_written(_SMALL) or self.file.is_written(_LARGE)

    def _has_twin(self, call: cst.Call) -> bool:
        """Whether another file of the run makes the same model, and gives it to `DistributedDataParallel`."""
        wrapped = call.args[0].value
        made = [each.value for each in self.file.names.bindings(wrapped)] if isinstance(wrapped, cst.Name) else [wrapped]
        funcs = [each.func for each in made if isinstance(each, cst.Call)]
        names = "|".join(re.escape(func.value) for func in funcs if isinstance(func, cst.Name))
        pattern = re.compile(rf"\A(?=.*\b(?:{names})\()(?=.*\bDistributedDataParallel\()", re.DOTALL)
        return bool(names) and self.file.is_written_elsewhere(pattern)

    def _keeps_beside(self, call: cst.Call) -> bool:
        """Whether a module of the project's beside the wrapped one, such as a loss, keeps something: each process would keep its own."""
        wrapped = {id(each) for each in self.file.value(call).lineage()}
        flow = self.file.flow(self.file.function(call))
        beside = (each for each in flow.values.values() if each.kind is Kind.MODULE and id(each) not in wrapped)
        return any(_begins_empty(each.cls) for each in beside if isinstance(each.node, cst.Call))

    def _has_partner(self, call: cst.Call) -> bool:
        """Whether another module is wrapped beside it, as the two of a GAN are: they would have to move together."""
        wraps = self.file.calls("torch.nn.DataParallel")
        return any(each is not call and self.file.function(each) is self.file.function(call) for each in wraps)

    def distributed(self, call: cst.Call) -> cst.Call | None:
        """Where the function that wraps a module here wraps one for one process per GPU already."""
        inside = self.file.inside(self.file.function(call), cst.Call)
        named = (each for each in inside if (self.file.qualname(each.func) or "").endswith(".DistributedDataParallel"))
        return next((each for each in named if self.file.function(each) is self.file.function(call)), None)

    def advice(self, call: cst.Call, course: Course) -> _Advice:
        """What to do in this program instead of a wrap, and the places that would change with it."""
        if course is Course.PREDICTS:
            return "a program that only predicts needs no wrapper: run one process per GPU, each with its share of the data", ()
        distributed = self.distributed(call)
        if distributed is not None:
            text = "the branch with `DistributedDataParallel` serves a single machine too"
            return text, ((distributed, "wrapped for one process per GPU here"),)
        if course is Course.TRAINS_ELSEWHERE:
            return "leave the wrap to the training program, with `DistributedDataParallel` and one process per GPU", ()
        steps = dict.fromkeys(text for text in self._missing())
        places = (
            *((loader, "needs a `DistributedSampler`") for loader, _ in shuffling(self.file)),
            *((s, "save on one rank only") for s in self._saves()),
        )
        return "; ".join(("run one process per GPU with `DistributedDataParallel`", *steps)), places

    def _missing(self) -> Iterator[str]:
        """What the program would need besides the wrap, in its order."""
        if not program.Program(self.file).launches.here:
            yield "start it with `torchrun --nproc_per_node=GPUS`"
            yield 'call `torch.distributed.init_process_group("nccl")` and read `local_rank = int(os.environ["LOCAL_RANK"])` first'
        for _, dataset in shuffling(self.file):
            name = " ".join(self.file.source(dataset).split())
            yield f"give the loader of `{name}` `sampler=DistributedSampler({name})` instead of `shuffle`"
        if self._saves():
            yield "save on one rank only"

    def _saves(self) -> list[cst.Call]:
        return list(self.file.calls("torch.save"))


def _begins_empty(owner: object) -> bool:
    """Whether instances of a class fill a buffer as they run: unlike a constant, it begins as zeros or at random."""
    return isinstance(owner, ClassModel) and any(_FILLED.search(each.file.source(each.node)) for each in owner.ancestry)


def _is_optimizer(file: FileAnalysis, call: cst.Call) -> bool:
    return (file.qualname(call.func) or "").startswith("torch.optim.")


def _wholes(file: FileAnalysis, module: Value) -> Iterator[Value]:
    """A module, and those that it is a part of: `model` for `model.head`."""
    yield module
    node = module.node
    while isinstance(node, (cst.Attribute, cst.Subscript)) and node in file.tree.order:
        node = node.value
        yield file.value(node)


def _may_normalize(file: FileAnalysis, wrap: cst.Call) -> bool:
    """Whether the wrapped module keeps statistics of its batches, as far as its class is known."""
    model = file.value(wrap.args[0].value).cls
    return model is None or any(not isinstance(each, ClassModel) or "BatchNorm" in each.file.text for each in model.ancestry)


def _names_one(shown: Node) -> bool:
    """`"0"`, `str(ids[0])`"""
    if isinstance(shown, cst.Call) and isinstance(shown.func, cst.Name) and shown.func.value == "str" and len(shown.args) == 1:
        given = shown.args[0].value
        index = given.slice[0].slice if isinstance(given, cst.Subscript) and len(given.slice) == 1 else None
        return isinstance(given, cst.Integer) or isinstance(index, cst.Index) and isinstance(index.value, cst.Integer)
    text = literal(shown)
    return isinstance(text, str) and "," not in text


def _is_training(file: FileAnalysis, call: cst.Call) -> bool:
    path = file.qualname(call.func)
    if path is None:
        return False
    return path.startswith("torch.optim.") or _MAKES_OPTIMIZER.search(path) is not None or file.imports_training(path)


def is_test(file: FileAnalysis, node: Node) -> bool:
    """Whether a node stands in a test of the thing itself, wherever that test is kept."""
    for each in file.ancestors(node):
        if isinstance(each, cst.FunctionDef) and each.name.value.startswith("test_"):
            return True
        if isinstance(each, cst.ClassDef) and any(file.qualname(base.value) == "unittest.TestCase" for base in each.bases):
            return True
    return False


def has_no_gpu(file: FileAnalysis, node: Node) -> bool:
    """Whether a node is reached only where there is no GPU: then the module is called directly, and nothing is copied."""
    child = node
    for each in file.ancestors(node):
        if isinstance(each, (cst.If, cst.IfExp)) and child is not each.test:
            negated = isinstance(each.test, cst.UnaryOperation) and isinstance(each.test.operator, cst.Not)
            test = each.test.expression if isinstance(each.test, cst.UnaryOperation) and negated else each.test
            if isinstance(test, cst.Call) and file.qualname(test.func) == "torch.cuda.is_available" and negated is (child is each.body):
                return True
        if isinstance(each, cst.FunctionDef):
            return False
        child = each
    return False

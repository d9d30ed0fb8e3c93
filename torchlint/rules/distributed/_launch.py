"""What the program around a `DataParallel` does, and what it lacks to run with one process per GPU instead."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.model import program
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind

DDP = "torch.nn.parallel.DistributedDataParallel"
_INFERENCE = ("torch.no_grad", "torch.inference_mode", "torch.set_grad_enabled")
_Advice = tuple[str, tuple[tuple[Node, str], ...]]


class Program:
    """One file, as far as its processes and its training go."""

    def __init__(self, file: FileAnalysis) -> None:
        self.file = file
        attributes = file.tree.attributes
        self.trains = bool(attributes.get("backward")) or any(_is_training(file, call) for call in file.nodes(cst.Call))
        """Whether it runs backward, or makes an optimizer."""
        self._only_runs = not self.trains and bool(attributes.get("eval") or next(file.calls(*_INFERENCE), None))

    def predicts(self, call: cst.Call) -> bool:
        """Whether what a call wraps is only run: the program or the function never trains, or its optimizers are for other models."""
        return self._only_runs or self._stays_where_nothing_trains(call) or self._is_left_to_itself(call)

    def has_one_device(self) -> bool:
        """Whether the program shows itself a single GPU."""
        for target in self.file.nodes(cst.Subscript):
            key = target.slice[0].slice if len(target.slice) == 1 else None
            assign = self.file.parent(self.file.parent(target) or target)
            if isinstance(key, cst.Index) and literal(key.value) == "CUDA_VISIBLE_DEVICES" and isinstance(assign, cst.Assign):
                shown = literal(assign.value)
                if isinstance(shown, str) and "," not in shown and self.file.function(assign) is self.file.module:
                    return True
        return False

    def _stays_where_nothing_trains(self, call: cst.Call) -> bool:
        """Whether the wrapped module stays in a function that neither runs backward nor makes an optimizer."""
        file, function = self.file, self.file.function(call)
        assign = file.parent(call)
        if (
            not isinstance(function, cst.FunctionDef)
            or not isinstance(assign, cst.Assign)
            or not isinstance(assign.targets[0].target, cst.Name)
        ):
            return False
        name = assign.targets[0].target
        if file.relevance.reaches_backward(function) or any(_is_training(file, each) for each in file.inside(function, cst.Call)):
            return False
        uses = [each for each in file.references(name) if each is not name]
        handed_on = (cst.Return, cst.Yield, cst.Arg, cst.Assign, cst.Element, cst.DictElement)
        return bool(uses) and not any(isinstance(file.parent(each), handed_on) for each in uses if not file.is_inside(each, assign))

    def _is_left_to_itself(self, call: cst.Call) -> bool:
        """Whether the optimizers made around the wrap are known to be for other models."""
        file = self.file
        wrapped = {id(each) for each in file.value(call).lineage()}
        flow = file.flow(file.function(call))
        made = [each for each in flow.values.values() if each.kind is Kind.OPTIMIZER and isinstance(each.node, cst.Call)]
        modules = [{id(part) for part in each.lineage() if part.kind is Kind.MODULE} for each in made]
        return bool(modules) and all(each and not each & wrapped for each in modules)

    def distributed(self, call: cst.Call) -> cst.Call | None:
        """Where the function that wraps a module here wraps one for one process per GPU already."""
        function = self.file.function(call)
        return next((each for each in self.file.calls(DDP) if self.file.function(each) is function), None)

    def advice(self, call: cst.Call) -> _Advice:
        """What to do in this program instead of a wrap, and the places that would change with it."""
        if self.predicts(call):
            return "a program that only predicts needs no wrapper: run one process per GPU, each with its share of the data", ()
        distributed = self.distributed(call)
        if distributed is not None:
            text = "the branch with `DistributedDataParallel` serves a single machine too"
            return text, ((distributed, "wrapped for one process per GPU here"),)
        if not self.trains:
            return "leave the wrap to the training program, with `DistributedDataParallel` and one process per GPU", ()
        steps = dict.fromkeys(text for text in self._missing())
        places = (
            *((loader, "needs a `DistributedSampler`") for loader, _ in self._loaders()),
            *((s, "save on one rank only") for s in self._saves()),
        )
        return "; ".join(("run one process per GPU with `DistributedDataParallel`", *steps)), places

    def _missing(self) -> Iterator[str]:
        """What the program would need besides the wrap, in its order."""
        if not program.Program(self.file).launches.here:
            yield "start it with `torchrun --nproc_per_node=GPUS`"
            yield 'call `torch.distributed.init_process_group("nccl")` and read `local_rank = int(os.environ["LOCAL_RANK"])` first'
        for _, dataset in self._loaders():
            name = " ".join(self.file.source(dataset).split())
            yield f"give the loader of `{name}` `sampler=DistributedSampler({name})` instead of `shuffle`"
        if self._saves():
            yield "save on one rank only"

    def _loaders(self) -> list[tuple[cst.Call, cst.BaseExpression]]:
        """The loaders that shuffle, without a sampler of their own: those for training."""
        found = []
        for call in self.file.calls("torch.utils.data.DataLoader"):
            keywords = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
            dataset = keywords.get("dataset") or (call.args[0].value if call.args and call.args[0].keyword is None else None)
            if dataset is not None and not keywords.keys() & {"sampler", "batch_sampler"} and _shuffles(keywords.get("shuffle")):
                found.append((call, dataset))
        return found

    def _saves(self) -> list[cst.Call]:
        return list(self.file.calls("torch.save"))


def _is_training(file: FileAnalysis, call: cst.Call) -> bool:
    path = file.qualname(call.func)
    return path is not None and (path.startswith("torch.optim.") or file.imports_training(path))


def _shuffles(given: Node | None) -> bool:
    return given is not None and not (isinstance(given, cst.Name) and given.value == "False")


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

"""The loaders that a program trains from: which shuffle by themselves, and whether each rank gets a share of the data."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.model.program import Program
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.distributed._batches import gives_one
from torchlint.rules.distributed._ranks import speaks_of_ranks
from torchlint.syntax.literals import literal
from torchlint.syntax.names import Binding, Binds
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Function

_SHARES = re.compile(
    r"[sS]ampler|IterableDataset|split_dataset_by_node|split_by_node|webdataset|\.shard\(|DataPipe|DPDDP|horovod", re.ASCII
)
"""Ways to give each rank its share: where one is spoken of in a file of the run, it may be that."""
_IN_CALL = r"(?:[^()]|\((?:[^()]|\([^()]*\))*\))*?"
_LOADER_SHUFFLES = re.compile(rf"\bDataLoader\((?!{_IN_CALL}(?:,|\bbatch_size\s*=)\s*1\s*[,)]){_IN_CALL}\bshuffle\s*=\s*True\b")
_DEALS_OTHERWISE = re.compile(
    rf"\bDataLoader\({_IN_CALL}\bsampler\s*=|[\"']sampler[\"']\s*:|\bbatch_sampler\b|\bIterableDataset\b|\bclass\s+\w+\([^)]*\b(?:Batch)?Sampler\b"
    r"|[\"']--?batch[-_]?size[\"'][^)]*\bdefault\s*=\s*1\s*[,)]"
)
"""Batches that are put together by something else, or are one sample by default."""
_DATASETS = ("torchvision.datasets.", "torch.utils.data.TensorDataset", "torchaudio.datasets.")
_FAR = 5


def shuffling(file: FileAnalysis) -> list[tuple[cst.Call, cst.BaseExpression]]:
    """The loaders that shuffle, without a sampler of their own, each with its dataset: those for training."""
    found = []
    for call in file.calls("torch.utils.data.DataLoader"):
        keywords = _options(file, call)
        dataset = keywords.get("dataset") or (call.args[0].value if call.args and call.args[0].keyword is None else None)
        sampler = keywords.get("sampler")
        shuffles = _shuffles(keywords.get("shuffle")) if sampler is None else _only_shuffles(file, sampler)
        if dataset is not None and "batch_sampler" not in keywords and shuffles:
            found.append((call, dataset))
    return found


def _only_shuffles(file: FileAnalysis, sampler: cst.BaseExpression) -> bool:
    """`RandomSampler(data)`, which is what `shuffle=True` stands for."""
    made = sampler if isinstance(sampler, cst.Call) else file.value(sampler).node if isinstance(sampler, cst.Name) else None
    return isinstance(made, cst.Call) and len(made.args) == 1 and (file.qualname(made.func) or "").endswith(".RandomSampler")


def shuffles_elsewhere(file: FileAnalysis) -> bool:
    """Whether the batches come from loaders of other files that shuffle: in a function that is called here, or wherever the run has some.

    Whose they are is not known then, so that none may have a sampler of its own.
    """
    for call in file.nodes(cst.Call):
        run = file.value(call.func).definition
        if isinstance(run, Function) and isinstance(run.file, FileAnalysis) and run.file is not file and _shuffles_in(run.file, run.node):
            return True
    return file.is_written_elsewhere(_LOADER_SHUFFLES) and not file.is_written_elsewhere(_DEALS_OTHERWISE)


def _shuffles_in(file: FileAnalysis, function: Node) -> bool:
    return any(file.is_inside(loader, function) and not gives_one(file, loader) for loader, _ in shuffling(file))


def _options(file: FileAnalysis, call: cst.Call) -> dict[str, cst.BaseExpression]:
    """What a call is given by name, be it in a dictionary that is spelt out."""
    given = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
    for spread in (arg.value for arg in call.args if arg.star == "**"):
        bindings = file.names.bindings(spread) if isinstance(spread, cst.Name) else ()
        for each in [spread] if isinstance(spread, cst.Dict) else [binding.value for binding in bindings]:
            if isinstance(each, cst.Dict):
                pairs = (pair for pair in each.elements if isinstance(pair, cst.DictElement))
                given |= {name: pair.value for pair in pairs if isinstance(name := literal(pair.key), str)}
    return given


def _shuffles(given: Node | None) -> bool:
    return given is not None and not (isinstance(given, cst.Name) and given.value == "False")


def repeated(file: FileAnalysis, wraps: list[cst.Call]) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    """The loaders from which every rank of a program that trains what is wrapped gets all of the data, each with its dataset."""
    if not wraps or not file.tree.attributes.get("backward") or Program(file).managers or file.is_written(_SHARES):
        return
    for loader, dataset in shuffling(file):
        if not any(arg.star for arg in loader.args) and _is_whole(file, dataset, _FAR):
            yield loader, dataset


def _is_whole(file: FileAnalysis, dataset: Node, far: int) -> bool:
    """Whether a dataset is known, and is the same on every rank: nothing that it is made of asks for the rank."""
    if far == 0 or speaks_of_ranks(dataset):
        return False
    if isinstance(dataset, cst.Name):
        bindings = file.names.bindings(dataset)
        return bool(bindings) and all(
            each.how is Binds.ASSIGN and each.value is not None and _is_whole(file, each.value, far - 1) for each in bindings
        )
    if not isinstance(dataset, cst.Call) or any(arg.star for arg in dataset.args):
        return False
    parts = {each.value: each for arg in dataset.args for each in descendants(arg.value) if isinstance(each, cst.Name)}
    if not all(_is_same(file, each, far - 1) for each in parts.values()):
        return False
    if (file.qualname(dataset.func) or "").startswith(_DATASETS):
        return True
    return _is_own(file, dataset, far)


def _is_own(file: FileAnalysis, dataset: cst.Call, far: int) -> bool:
    """Whether a class of the project makes it that does not ask for the rank, or a function that returns such a one."""
    called = file.value(dataset.func)
    if called.cls is not None:
        return all(isinstance(each, ClassModel) and _is_closed(each) and not speaks_of_ranks(each.node) for each in called.cls.ancestry)
    if not isinstance(called.definition, Function) or not isinstance(called.definition.file, FileAnalysis):
        return False
    where, function = called.definition.file, called.definition.node
    returned = [each.value for each in where.inside(function, cst.Return) if where.function(each) is function]
    return (
        bool(returned) and not speaks_of_ranks(function) and all(each is not None and _is_whole(where, each, far - 1) for each in returned)
    )


def _is_closed(model: ClassModel) -> bool:
    """Whether every base is torch's, or is read as well."""
    file, bases = model.file, [each.value for each in model.node.bases]
    return all(
        (file.qualname(each) or "").startswith((*_DATASETS, "torch.utils.data.")) or file.class_of(each) is not None for each in bases
    )


def _is_same(file: FileAnalysis, name: cst.Name, far: int) -> bool:
    """Whether nothing that a name is bound to asks for the rank, as far as it can be followed: to what callers hand over, too."""
    values = [value for each in file.names.bindings(name) for value in _bound(file, each)]
    if far == 0 or any(speaks_of_ranks(each) for each in values):
        return False
    parts = (part for each in values for part in descendants(each) if isinstance(part, cst.Name) and part.value != name.value)
    return all(_is_same(file, each, far - 1) for each in parts)


def _bound(file: FileAnalysis, binding: Binding) -> list[cst.BaseExpression]:
    function = next((each for each in file.ancestors(binding.node) if isinstance(each, (cst.FunctionDef, cst.Lambda))), None)
    if binding.how is not Binds.PARAMETER or not isinstance(function, cst.FunctionDef) or not isinstance(binding.node, cst.Name):
        return [binding.value] if binding.value is not None else []
    word = binding.node.value
    names = [each.name.value for each in (*function.params.posonly_params, *function.params.params)]
    place = names.index(word) - (file.owner(function) is not None) if word in names else len(names)
    return file.arguments_for(function, word, place)

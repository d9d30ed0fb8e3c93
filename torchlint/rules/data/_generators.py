"""Random generators that datasets hold: each worker gets a copy of the dataset, and with it the same state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.data._loaders import datasets, fetching, loaders
from torchlint.syntax.tree import Node

_GENERATORS = frozenset("numpy.random.default_rng numpy.random.RandomState numpy.random.Generator random.Random torch.Generator".split())
"""What makes a generator with a state of its own. Those that are global, worker processes seed for themselves."""
_RESEEDING = frozenset("seed manual_seed set_state setstate initial_seed bit_generator spawn".split())
_BY_HAND = re.compile(r"\bworker_init_fn\s*=|\bget_worker_info\b")
_WITH_WORKERS = re.compile(r"\bnum_workers\b(?!\s*=\s*(?:0|None)\b)")


@dataclass(frozen=True, eq=False)
class Held:
    """A generator of a dataset, and where a sample is drawn with it."""

    made: cst.Call
    use: cst.BaseExpression


def duplicated(file: FileAnalysis) -> Iterator[Held]:
    """Those that are copied into workers as they are, and seeded by nobody after that."""
    models = list(datasets(file))
    if not models or not file.is_written(_WITH_WORKERS) or file.is_written(_BY_HAND):
        return  # there are no workers; or somebody looks after each of them
    seen: set[Node] = set()
    for model in models:
        if _never_meets_workers(file, model):
            continue
        for made, use in (*_of_attributes(file, model), *_of_variables(file, model)):
            if made not in seen:
                seen.add(made)
                yield Held(made, use)


def _never_meets_workers(file: FileAnalysis, model: ClassModel) -> bool:
    """Whether all loaders of such a dataset are in sight, and load in the process itself."""
    own = [each for each in loaders(file) if (given := each.given("dataset")) is not None and given.cls is model]
    return bool(own) and all(each.setting("num_workers") == 0 for each in own) and not file.is_named_elsewhere(model.name)


def _of_attributes(file: FileAnalysis, model: ClassModel) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    uses = _uses(file, model)
    for owner in model.ancestry:
        if owner.file is not file:
            continue
        for name, assigned in owner.assignments.items():
            made = next((found for _, _, value in assigned if value is not None and (found := _generator(file, value))), None)
            in_constructor = all(method.name.value == "__init__" for method, _, _ in assigned)
            if made is None or not in_constructor or name not in uses or _is_reached(file, model, name):
                continue
            yield made, uses[name]


def _uses(file: FileAnalysis, model: ClassModel) -> dict[str, cst.BaseExpression]:
    """For each attribute of the object: where a sample is drawn with it first."""
    found: dict[str, cst.BaseExpression] = {}
    for function in fetching(model):
        for each in file.inside(function, cst.Attribute):
            if isinstance(each.value, cst.Name) and each.value.value == "self":
                found.setdefault(each.attr.value, each)
    return found


def _is_reached(file: FileAnalysis, model: ClassModel, name: str) -> bool:
    """Whether a generator may be seeded or replaced: by a method, or by code that gets at the attribute from outside."""
    for each in file.tree.attributes.get(name, ()):
        above = file.parent(each)
        if isinstance(above, cst.Call) and above.func is each:
            continue  # a method of that name: generators are not called
        if _is_reseeded(file, each):
            return True
        if (not isinstance(each.value, cst.Name) or each.value.value != "self") and file.qualname(each) is None:
            return True
    return file.is_reached_elsewhere(name, model.name)


def _of_variables(file: FileAnalysis, model: ClassModel) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    """Generators that are made once for the whole file, with a seed; without one, processes that are spawned make a new one."""
    for function in fetching(model):
        for name in file.inside(function, cst.Name):
            binding = file.names.definition(name) if name in file.tree.order else None
            if binding is None or binding.value is None or file.function(binding.node) is not file.module:
                continue
            made = _generator(file, binding.value)
            if made is not None and made.args and not any(_is_reseeded(file, each) for each in file.references(name)):
                yield made, name


def _is_reseeded(file: FileAnalysis, use: Node) -> bool:
    above = file.parent(use)
    return isinstance(above, cst.Attribute) and above.attr.value in _RESEEDING


def _generator(file: FileAnalysis, value: cst.BaseExpression) -> cst.Call | None:
    """The call that makes a generator, in `rng or default_rng(seed)` too."""
    if isinstance(value, cst.IfExp):
        return _generator(file, value.body) or _generator(file, value.orelse)
    if isinstance(value, cst.BooleanOperation):
        return _generator(file, value.right)
    if not isinstance(value, cst.Call):
        return None
    if isinstance(value.func, cst.Attribute) and value.func.attr.value == "manual_seed":
        return _generator(file, value.func.value)
    return value if file.qualname(value.func) in _GENERATORS else None

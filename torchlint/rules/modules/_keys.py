"""The keys of dicts that hold modules: `nn.ModuleDict` takes strings only, and not all of them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.module_attributes import MODULE_DICT_KEYS_TAKEN
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.modules._containers import HeldModules, Store
from torchlint.rules.modules._registration import is_target
from torchlint.values.value import Kind


def keys_of(held: HeldModules) -> Iterator[cst.BaseExpression]:
    for store in held.stores:
        yield from _written_keys(store)
    for node in held.appearances:
        above = held.file.parent(node)
        if isinstance(above, cst.Subscript) and held.stores and held.stores[0].shape == "dict" and len(above.slice) == 1:
            index = above.slice[0].slice
            if isinstance(index, cst.Index):
                yield index.value


def _written_keys(store: Store) -> Iterator[cst.BaseExpression]:
    if isinstance(store.value, cst.Dict):
        for entry in store.value.elements:
            if isinstance(entry, cst.DictElement):
                yield entry.key
    elif isinstance(store.value, cst.DictComp):
        yield store.value.key
    elif isinstance(store.value, cst.Call):
        for arg in store.value.args:
            if isinstance(arg.value, cst.List):
                pairs = [each.value for each in arg.value.elements]
                yield from (pair.elements[0].value for pair in pairs if isinstance(pair, cst.Tuple) and pair.elements)


def keywords_of(held: HeldModules) -> Iterator[str]:
    """The keys of `dict(online=…, target=…)`."""
    for store in held.stores:
        if isinstance(store.value, cst.Call) and store.shape == "dict":
            yield from (arg.keyword.value for arg in store.value.args if arg.keyword is not None)


def is_unsure(file: FileAnalysis, key: cst.BaseExpression) -> bool:
    above = file.parent(key)
    reads = isinstance(above, cst.Index) and not is_target(file, file.parent(file.parent(above) or key) or key)
    return not isinstance(key, cst.SimpleString) and not reads


def obstacles_of_key(file: FileAnalysis, key: cst.BaseExpression) -> Iterator[str]:
    if isinstance(key, cst.SimpleString):
        text = str(key.evaluated_value)
        if not text or "." in text or text in MODULE_DICT_KEYS_TAKEN:
            yield f"`nn.ModuleDict` refuses the key {key.value}"
    elif _kind_of_key(file, key) not in (Kind.STRING, Kind.UNKNOWN):
        yield "the keys of `nn.ModuleDict` are strings"


def _kind_of_key(file: FileAnalysis, key: cst.BaseExpression) -> Kind:
    kind = file.value(key).kind
    if kind is Kind.UNKNOWN and isinstance(key, cst.Name):
        kinds = {file.value(binding.node).kind for binding in file.names.bindings(key)}
        return kinds.pop() if len(kinds) == 1 else Kind.UNKNOWN
    return kind

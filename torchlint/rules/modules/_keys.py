"""The keys of dicts that hold modules: `nn.ModuleDict` takes strings only, and not all of them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.module_attributes import MODULE_DICT_KEYS_TAKEN
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.modules._containers import HeldModules
from torchlint.rules.modules._filling import method_on, put_in
from torchlint.rules.modules._registration import is_target
from torchlint.syntax.literals import literal, spelled_out
from torchlint.values.value import Kind


def keys_of(held: HeldModules) -> Iterator[cst.BaseExpression]:
    """Every key that is written to the dict or looked up in it, as far as keys are written out."""
    for value in _written(held):
        yield from _keys_in(value)
    if held.stores and held.stores[0].shape == "dict":
        for _, key in _subscripts(held):
            yield key


def are_keys_visible(held: HeldModules) -> bool:
    """Whether all keys that are ever written are spelt out as strings; so they are where there is no dict."""
    if not held.stores or held.stores[0].shape != "dict":
        return True
    stored = [key for item, key in _subscripts(held) if is_target(held.file, item)]
    return all(_shows_keys(value) for value in _written(held)) and all(_texts(held.file, key) for key in (*stored, *_keys(held)))


def _keys(held: HeldModules) -> Iterator[cst.BaseExpression]:
    return (key for value in _written(held) for key in _keys_in(value))


def _written(held: HeldModules) -> Iterator[cst.BaseExpression]:
    """The containers whose keys go into the dict: those assigned to it, and those that it is updated with."""
    yield from (store.value for store in held.stores)
    for node in held.uses:
        if method_on(held.file, node) == "update":
            yield from put_in(held.file, node)


def _subscripts(held: HeldModules) -> Iterator[tuple[cst.Subscript, cst.BaseExpression]]:
    for node in held.uses:
        above = held.file.parent(node)
        if isinstance(above, cst.Subscript) and above.value is node and len(above.slice) == 1:
            index = above.slice[0].slice
            if isinstance(index, cst.Index):
                yield above, index.value


def _pairs(value: cst.Call) -> list[cst.BaseExpression] | None:
    """The keys of `dict([("down", layer)])`; None where they are not written out."""
    found: list[cst.BaseExpression] = []
    for arg in value.args:
        if arg.keyword is not None:
            continue
        if arg.star or not isinstance(arg.value, (cst.List, cst.Tuple)):
            return None
        for each in arg.value.elements:
            if not isinstance(each.value, cst.Tuple) or not each.value.elements:
                return None
            found.append(each.value.elements[0].value)
    return found


def _keys_in(value: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(value, cst.Dict):
        return [entry.key for entry in value.elements if isinstance(entry, cst.DictElement)]
    if isinstance(value, cst.DictComp):
        return [value.key]
    return _pairs(value) or [] if isinstance(value, cst.Call) else []


def _shows_keys(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.Dict):
        return all(isinstance(entry, cst.DictElement) for entry in value.elements)
    return isinstance(value, cst.DictComp) or isinstance(value, cst.Call) and _pairs(value) is not None


def keywords_of(held: HeldModules) -> Iterator[str]:
    """The keys of `dict(online=…, target=…)`."""
    for store in held.stores:
        if isinstance(store.value, cst.Call) and store.shape == "dict":
            yield from (arg.keyword.value for arg in store.value.args if arg.keyword is not None)


def _texts(file: FileAnalysis, key: cst.BaseExpression) -> list[str]:
    """The strings that a key may be: a literal, or what a loop over literals yields; none where that is not written out."""
    if isinstance(key, cst.SimpleString):
        return [str(spelled_out(key.value))]
    binding = file.names.definition(key) if isinstance(key, cst.Name) else None
    loop = file.parent(binding.node) if binding is not None else None
    walked = literal(loop.iter) if isinstance(loop, (cst.For, cst.CompFor)) and binding is not None and loop.target is binding.node else ...
    if not isinstance(walked, (list, tuple)) or not all(isinstance(each, str) for each in walked):
        return []
    return list(walked)


def obstacles_of_key(file: FileAnalysis, key: cst.BaseExpression) -> Iterator[str]:
    texts = _texts(file, key)
    for text in texts:
        if not text or "." in text or text in MODULE_DICT_KEYS_TAKEN:
            yield f"`nn.ModuleDict` refuses the key {text!r}"
    if texts:
        return
    if literal(key) is not ... or _kind_of_key(file, key) not in (Kind.STRING, Kind.UNKNOWN):
        yield "the keys of `nn.ModuleDict` are strings"


def _kind_of_key(file: FileAnalysis, key: cst.BaseExpression) -> Kind:
    kind = file.value(key).kind
    if kind is Kind.UNKNOWN and isinstance(key, cst.Name):
        kinds = {file.value(binding.node).kind for binding in file.names.bindings(key)}
        return kinds.pop() if len(kinds) == 1 else Kind.UNKNOWN
    return kind

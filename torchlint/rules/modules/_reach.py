"""Who else gets at hidden layers: what makes registering them more than the author of the code around may want.

Code that looks after the layers by hand (hands their parameters to an optimizer, say) does so twice once they are registered.
Where the program that uses the class is not in sight, nobody can tell. What a wrap itself would break is answered in
`torchlint.rules.modules._wrapping`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from torchlint.facts.module_attributes import MODULE_ATTRIBUTES, REGISTERING_METHODS
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._containers import HeldModules
from torchlint.rules.modules._elements import BUILDERS, Holds, elements_of
from torchlint.rules.modules._keys import are_keys_visible
from torchlint.rules.modules._registration import PASSED_ON, called, instance_name, is_target
from torchlint.rules.modules._uses import leaves
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import COMPREHENSIONS, Node, descendants
from torchlint.values.instances import kind_of_instance
from torchlint.values.kinds import Kind

_USUAL = frozenset({"forward", "extra_repr"})
"""What a module is meant to define. The other methods of every module, where a class has its own, may do what registration would do."""
_UNDER_THE_HOOD = frozenset(
    """__getattribute__ __delattr__ __getstate__ __setstate__ __deepcopy__ __copy__ __reduce__ __reduce_ex__ __new__ __init_subclass__
    __dir__ _save_to_state_dict _load_from_state_dict""".split()
)
"""Methods by which a class meddles with its attributes and state."""
_BY_NAME = {"getattr": 2, "hasattr": 2, "setattr": 3, "delattr": 2}
_BY_NAME_METHODS = ("__setattr__", "__getattribute__", "__delattr__", "__getattr__")
_COLLECTING = frozenset({"parameters", "named_parameters", "grad"})
"""What is asked of a layer by code that trains it by hand."""
_WORD = re.compile(r"\w+")
_PART = re.compile(r"\w\.(\w+)")


class Surroundings:
    """What a file says of all that is trained in it."""

    def __init__(self, file: FileAnalysis) -> None:
        self._file = file

    @cached_property
    def chooses_by_hand(self) -> bool:
        """Whether an optimizer gets anything but all parameters of one module."""
        return any(_is_chosen_by_hand(self._file, call) for call in self._file.nodes(cst.Call))

    @cached_property
    def spelt(self) -> frozenset[str]:
        """The names that strings spell: those in `"layers"`, `"net.layers"` and `"layers.0.weight"`, none in plain sentences."""
        file = self._file
        found: set[str] = set()
        texts = [each.raw_value for each in file.nodes(cst.SimpleString)] + [each.value for each in file.nodes(cst.FormattedStringText)]
        for text in texts:
            found.update(_PART.findall(text) if any(each.isspace() for each in text) else _WORD.findall(text))
        return frozenset(found)

    @cached_property
    def asked_by_name(self) -> list[tuple[Node, cst.BaseExpression | None]]:
        """Where an attribute is asked for by a name that is worked out, and of what; None where that is not written out."""
        file = self._file
        found: list[tuple[Node, cst.BaseExpression | None]] = []
        for function, count in _BY_NAME.items():
            for name in file.tree.names.get(function, ()):
                call = file.parent(name)
                if not isinstance(call, cst.Call) or call.func is not name or len(call.args) < min(count, 2):
                    found.append((name, None))
                elif literal(call.args[1].value) is ...:
                    found.append((name, call.args[0].value))
        for method in _BY_NAME_METHODS:
            found += ((each, each.value) for each in file.tree.attributes.get(method, ()))
        return found


def is_doubtful(held: HeldModules, around: Surroundings) -> bool:
    """Whether registering the layers may change more than the finding says: then only the author can decide."""
    return (
        _has_own_ways(held)
        or any(element.holds is Holds.GIVEN for element in held.elements)
        or not are_keys_visible(held)
        or any(_is_unseen(held, value) for value in (*(store.value for store in held.stores), *_spread(held)))
        or any(leaves(held, node) for node in held.uses)
        or any(_is_handed_out(held.file, node) for node in _parts(held))
        or is_trained_by_hand(held)
        or around.chooses_by_hand
        or held.attribute in around.spelt
        or any(_may_ask(held, place, of) for place, of in around.asked_by_name)
        or any(_registers_outside(held, name) for name in (*REGISTERING_METHODS, "_modules"))
        or not _is_program_in_sight(held)
    )


def _has_own_ways(held: HeldModules) -> bool:
    """Whether the class, or one above it, overrides what every module does, or is made in an unusual way: decorated, by a metaclass."""
    for model in held.owner.ancestry:
        if any(name in _UNDER_THE_HOOD or name in MODULE_ATTRIBUTES and name not in _USUAL for name in model.own_methods):
            return True
        if model.node.decorators or any(_is_unusual(model, each) for each in model.node.keywords):
            return True
        if model.file is not held.file and model.file.attributes_inside(model.node, held.attribute):
            return True
    return any(_is_patched(held.file, each) for each in held.file.tree.names.get(held.owner.name, ()))


def _is_unusual(model: ClassModel, keyword: cst.Arg) -> bool:
    return keyword.keyword is None or keyword.keyword.value != "metaclass" or model.file.qualname(keyword.value) != "abc.ABCMeta"


def _is_patched(file: FileAnalysis, name: cst.Name) -> bool:
    """`Net.__init__ = …`"""
    above = file.parent(name)
    return isinstance(above, cst.Attribute) and is_target(file, above)


# -- the container ------------------------------------------------------------------------------------------------------


def _spread(held: HeldModules) -> Iterator[cst.BaseExpression]:
    """What the container is extended by."""
    for node in held.appearances:
        above = held.file.parent(node)
        call = held.file.parent(above) if isinstance(above, cst.Attribute) and above.attr.value in ("extend", "update") else None
        if isinstance(above, cst.AugAssign) and above.target is node:
            yield above.value
        elif isinstance(call, cst.Call) and call.func is above and call.args:
            yield call.args[0].value


def _is_unseen(held: HeldModules, value: cst.BaseExpression) -> bool:
    """Whether some of what a container expression brings along is written somewhere else: `[*given]`, `[...] + given`."""
    if isinstance(value, (cst.List, cst.Tuple, cst.Set)):
        return any(isinstance(each, cst.StarredElement) and _is_unseen(held, each.value) for each in value.elements)
    if isinstance(value, cst.Dict):
        return any(isinstance(each, cst.StarredDictElement) and _is_unseen(held, each.value) for each in value.elements)
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add):
        return _is_unseen(held, value.left) or _is_unseen(held, value.right)
    if isinstance(value, cst.Call) and called(held.file, value) not in BUILDERS:
        return True  # whoever made it may have kept it
    if value in held.appearances or isinstance(value, cst.Call) and not value.args:
        return False
    return not elements_of(held.file, held.owner, value)


def _may_ask(held: HeldModules, place: Node, of: cst.BaseExpression | None) -> bool:
    """Whether an instance is asked for an attribute whose name varies: any may be meant."""
    around = next((each for each in held.file.ancestors(place) if isinstance(each, cst.ClassDef)), None)
    if isinstance(of, cst.Name) and around is not None and of.value == instance_name(held.file, place, around):
        return any(model.node is around for model in held.family)
    if isinstance(of, cst.Call) and isinstance(of.func, cst.Name) and of.func.value == "super":
        return around is None or any(model.node is around for model in held.family)
    return of is None or held.may_be_instance(held.file.value(of))


def _registers_outside(held: HeldModules, name: str) -> bool:
    """Whether code around the class may register something with an instance."""
    found = held.file.tree.attributes.get(name, ())
    return any(not held.file.is_inside(each, held.owner.node) and held.may_be_instance(held.file.value(each.value)) for each in found)


# -- the layers in it ---------------------------------------------------------------------------------------------------


def _parts(held: HeldModules) -> Iterator[Node]:
    """The expressions that stand for one of the layers."""
    file = held.file
    containers: list[Node] = list(held.uses)
    for store in held.stores:
        if isinstance(store.value, cst.Name):
            containers += file.references(store.value)
    for node in containers:
        yield from _parts_of(file, node)
    for element in held.elements:
        if isinstance(element.node, cst.Name):
            yield from file.references(element.node)


def _parts_of(file: FileAnalysis, node: Node) -> Iterator[Node]:
    child, above = node, file.parent(node)
    while above is not None:
        if isinstance(above, cst.Subscript) and above.value is child:
            yield above
        elif isinstance(above, (cst.For, cst.CompFor)):
            if above.iter is child:
                names = {each.value for each in descendants(above.target) if isinstance(each, cst.Name)}
                around: Node | None = above.body if isinstance(above, cst.For) else file.parent(above)
                for each in descendants(around) if around is not None else ():
                    if isinstance(each, cst.Name) and each.value in names:
                        yield each
            return
        elif not isinstance(above, cst.Arg | cst.Attribute) and not (isinstance(above, cst.Call) and _passes_on(file, above)):
            return
        child, above = above, file.parent(above)


def _passes_on(file: FileAnalysis, call: cst.Call) -> bool:
    return called(file, call) in PASSED_ON or isinstance(call.func, cst.Attribute) and call.func.attr.value in ("items", "values")


def is_trained_by_hand(held: HeldModules) -> bool:
    """Whether somebody asks the layers themselves for their parameters, or they have an optimizer of their own."""
    classes = {held.file.value(each.node).cls for each in held.elements if each.node is not None}
    own = any(_has_optimizer(model) for each in classes if isinstance(each, ClassModel) for model in each.ancestry)
    return own or any(_asks_for_parameters(held.file, node) for node in _parts(held))


def _has_optimizer(model: ClassModel) -> bool:
    calls = model.file.inside(model.node, cst.Call)
    return any(kind_of_instance(model.file.qualname(call.func) or "") is Kind.OPTIMIZER for call in calls)


def _is_handed_out(file: FileAnalysis, node: Node) -> bool:
    """Whether a layer leaves for somebody who may ask it for anything."""
    return isinstance(file.parent(node), (cst.Return, cst.Yield, cst.Lambda, cst.Element, cst.DictElement, *COMPREHENSIONS))


def _asks_for_parameters(file: FileAnalysis, node: Node) -> bool:
    """`layer.parameters()`, `layer.weight.grad`"""
    above = file.parent(node)
    while isinstance(above, (cst.Attribute, cst.Subscript)) and above.value is node:
        if isinstance(above, cst.Attribute) and above.attr.value in _COLLECTING:
            return True
        node, above = above, file.parent(above)
    return False


# -- the program around -------------------------------------------------------------------------------------------------


def _is_chosen_by_hand(file: FileAnalysis, call: cst.Call) -> bool:
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == "add_param_group":
        return True
    if kind_of_instance(file.qualname(call.func) or "") is not Kind.OPTIMIZER or not call.args:
        return False
    given = call.args[0].value
    if isinstance(given, cst.Call) and called(file, given) in ("list", "filter") and given.args:
        given = given.args[-1].value
    return not (isinstance(given, cst.Call) and isinstance(given.func, cst.Attribute) and given.func.attr.value == "parameters")


def _is_program_in_sight(held: HeldModules) -> bool:
    """Whether somebody makes an instance where it can be seen, and no other file that can be seen asks for the container."""
    file, name = held.file, held.owner.name
    made = (_makes(file, each) for each in file.tree.names.get(name, ()) if not file.is_inside(each, held.owner.node))
    return (any(made) or file.is_named_elsewhere(name)) and not file.is_reached_elsewhere(held.attribute, name)


def _makes(file: FileAnalysis, name: cst.Name) -> bool:
    """Whether the class is called here, or handed to somebody who calls it."""
    above = file.parent(name)
    call = file.parent(above) if isinstance(above, cst.Arg) else above
    return isinstance(call, cst.Call) and called(file, call) not in ("isinstance", "issubclass", "super")

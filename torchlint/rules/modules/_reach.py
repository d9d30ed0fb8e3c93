"""Who else gets at hidden layers: what makes registering them more than the author of the code around may want.

Code that looks after the layers by hand (hands their parameters to an optimizer, say) does so twice once they are registered.
Where the program that uses the class is not in sight, nobody can tell. What a wrap itself would break is answered in
`torchlint.rules.modules._wrapping`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._containers import HeldModules
from torchlint.rules.modules._elements import Holds, elements_of
from torchlint.rules.modules._keys import is_unsure, keys_of
from torchlint.rules.modules._registration import PASSED_ON, called
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import COMPREHENSIONS, Node, descendants

_READS = PASSED_ON | frozenset(
    "len any all sum max min next print id repr bool range random.choice itertools.chain itertools.zip_longest itertools.islice".split()
)
"""Calls that treat both kinds of container alike, and keep neither."""
_HOLDING = PASSED_ON | {"next", "filter", "random.choice", "itertools.chain", "itertools.zip_longest", "itertools.islice"}
"""Those whose result brings the layers along."""
_LOOKING_AFTER = frozenset({"train", "eval", "to", "__getattribute__", "__delattr__"})
"""Methods that a module overrides to do by hand what registration would do."""
_COLLECTING = frozenset({"parameters", "named_parameters", "grad"})
"""What is asked of a layer by code that trains it by hand."""


class Surroundings:
    """What a file says of all that is trained in it."""

    def __init__(self, file: FileAnalysis) -> None:
        self._file = file

    @cached_property
    def chooses_by_hand(self) -> bool:
        """Whether an optimizer gets anything but all parameters of one module."""
        return any(_is_chosen_by_hand(self._file, call) for call in self._file.nodes(cst.Call))


def is_doubtful(held: HeldModules, around: Surroundings) -> bool:
    """Whether registering the layers may change more than the finding says: then only the author can decide."""
    return (
        bool(_LOOKING_AFTER & held.owner.own_methods.keys())
        or any(element.holds is Holds.GIVEN for element in held.elements)
        or any(is_unsure(held.file, key) for key in keys_of(held))
        or any(_is_unseen(held, value) for value in (*(store.value for store in held.stores), *_spread(held)))
        or any(_escapes(held.file, node) for node in held.uses)
        or any(_is_handed_out(held.file, node) for node in _parts(held))
        or is_trained_by_hand(held)
        or around.chooses_by_hand
        or _is_reached_by_name(held)
        or not _is_program_in_sight(held)
    )


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
    if value in held.appearances or isinstance(value, cst.Call) and not value.args:
        return False
    return not elements_of(held.file, held.owner, value)


def _escapes(file: FileAnalysis, node: Node) -> bool:
    """Whether the container itself goes somewhere: to a call that is not known, out of the method, to another name."""
    above = file.parent(node)
    if isinstance(above, cst.Arg):
        call = file.parent(above)
        if not isinstance(call, cst.Call) or above.star:
            return False
        return called(file, call) not in _READS or called(file, call) in _HOLDING and _escapes(file, call)
    if isinstance(above, cst.AnnAssign | cst.Assign):
        return above.value is node
    leaves = (cst.Return, cst.Yield, cst.From, cst.Lambda, cst.Element, cst.DictElement, cst.NamedExpr, cst.BooleanOperation, cst.IfExp)
    return isinstance(above, leaves)


def _is_reached_by_name(held: HeldModules) -> bool:
    """`getattr(self, name)`, `net.__dict__`: any attribute may be meant; or its name is written out somewhere."""
    file = held.file
    if any(quote + held.attribute + quote in file.text for quote in ("'", '"')):
        return True
    calls = [file.parent(each) for name in ("getattr", "delattr") for each in file.tree.names.get(name, ())]
    named = [call.args[1].value for call in calls if isinstance(call, cst.Call) and len(call.args) > 1]
    return any(literal(each) is ... and file.is_inside(each, held.owner.node) for each in named)


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
    return any((model.file.qualname(call.func) or "").startswith("torch.optim.") for call in calls)


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
    path = file.qualname(call.func) or ""
    if not path.startswith("torch.optim.") or path.startswith(("torch.optim.lr_scheduler.", "torch.optim.swa_utils.")) or not call.args:
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

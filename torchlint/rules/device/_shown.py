"""Where a number that is read in a loop goes there: into what every iteration shows or keeps, or into what decides how it goes on.

A number goes on through arithmetic, into the text that is made of it, into the name it is assigned to, and into the meter that is given
it. A loop that shows it in a progress bar, a line or a board each time, or by what the project has for that, needs it each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.rules.device._callees import arguments, callee
from torchlint.rules.device._guards import is_rare
from torchlint.rules.device._hot import Iteration, last_name, names_in
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.value import Kind

_REPORTS = frozenset(
    """print info debug warning write log set_postfix set_postfix_str set_description set_description_str add_scalar add_scalars
    log_metric log_metrics log_scalar writerow writerows""".split()
)
"""Calls that show what they are given, and keep nothing of it."""
_COMPUTING = ("torch.", "math.", "numpy.")
_MAKES_NUMBERS = frozenset("float int round abs str repr dict OrderedDict tuple list sum min max format join".split())
_STORES = frozenset("append appendleft extend insert add".split())
_ADDS = frozenset("update add get pop setdefault append extend".split())
"""Calls that keep what they are given, under a label too."""
_STEPS = frozenset("step backward".split())
_LOOKS_UP = frozenset({"get", "pop"})
"""What they are given is the key of what they return."""
_DEEP = 3
"""Through how many functions of the project a number is followed."""
_MANY = 60
"""How many expressions a number is followed through."""
_COLLECTIONS = frozenset({Kind.LIST, Kind.TUPLE, Kind.DICT})
_METERS = (Kind.UNKNOWN, Kind.OBJECT, Kind.OTHER, Kind.DICT, Kind.MODULE)


class Goes(Enum):
    """Where a number arrives."""

    SHOWN = "shown"
    KEPT = "kept"
    """A number for each iteration is put into a list or an array."""
    TESTED = "tested"
    """A test asks for it."""


def arrives(file: FileAnalysis, node: Node, loop: Iteration, deep: int = _DEEP) -> Iterator[tuple[Goes, Node]]:
    """Where a number arrives in the iteration in which it is read, and the test or call there; rare places are left out."""
    for climb in _follow(file, node, loop, deep):
        for goes, place in climb.found:
            if not is_rare(file, place, loop):
                yield goes, place


def left_on_self(file: FileAnalysis, node: Node, method: cst.FunctionDef) -> set[str]:
    """The attributes of `self` in which a method leaves the number that it reads."""
    holders = (place for climb in _follow(file, node, method, _DEEP) for place in climb.holders)
    attributes = (place.value if isinstance(place, cst.Subscript) else place for place in holders)
    return {each.attr.value for each in attributes if isinstance(each, cst.Attribute) and last_name(each.value) == "self"}


def shows_later(file: FileAnalysis, call: cst.Call, loop: Iteration, left: set[str]) -> bool:
    """Whether a loop that calls a method shows what this leaves on its object: `trainer.step(x)`, `print(trainer.last)`."""
    if not isinstance(call.func, cst.Attribute) or not left:
        return False
    owner, receiver = file.value(call.func.value).cls, file.source(call.func.value)
    asking = _methods_that_return(owner, left) if isinstance(owner, ClassModel) else set()
    return any(
        goes is Goes.SHOWN
        for name in sorted(left | asking)
        for use in file.tree.within(file.tree.attributes.get(name, ()), loop.body)
        if use is not call.func and file.source(use.value) == receiver
        for goes, _ in arrives(file, use, loop)
    )


def _methods_that_return(owner: ClassModel, attributes: set[str]) -> set[str]:
    """The methods and properties whose result is made of these attributes."""
    return {
        name
        for model in owner.ancestry
        for name, method in model.own_methods.items()
        for returned in model.file.tree.within(model.file.nodes(cst.Return), method.body)
        if any(isinstance(part, cst.Attribute) and part.attr.value in attributes for part in descendants(returned))
    }


def _follow(file: FileAnalysis, node: Node, loop: Iteration, deep: int) -> Iterator[_Climb]:
    """The ways of a number from each place that holds it."""
    queue, seen = [node], {node}
    for each in queue:
        climb = _Climb(file, each, loop, deep)
        yield climb
        for place in climb.holders:
            for use in _uses(file, place, loop):
                if use not in seen and len(queue) < _MANY:
                    seen.add(use)
                    queue.append(use)


def reports(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a call shows what it is given; a logarithm shows nothing."""
    return last_name(call.func) in _REPORTS and not (file.qualname(call.func) or "").startswith(_COMPUTING)


def stores(file: FileAnalysis, call: cst.Call) -> bool:
    """`curve.append(…)`: whether a call puts what it is given into a container. To `add` to what is no set is to add up, as meters do."""
    if not isinstance(call.func, cst.Attribute) or call.func.attr.value not in _STORES:
        return False
    return call.func.attr.value != "add" or file.value(call.func.value).kind in _COLLECTIONS


class _Climb:
    """The way of a number from one place up through the expressions around it."""

    def __init__(self, file: FileAnalysis, node: Node, loop: Iteration, deep: int) -> None:
        self.file = file
        self.node = node
        self.loop = loop
        self.deep = deep
        self.holders: list[Node] = []
        """What holds the number afterwards: names, attributes, entries, and the meters that were given it."""
        self.found = list(self._arrives())

    def _arrives(self) -> Iterator[tuple[Goes, Node]]:
        child, is_text = self.node, False
        for each in self.file.ancestors(self.node):
            if isinstance(each, cst.Call):
                if child is each.func:  # `meter.avg()`, `"{}".format` of what is known
                    is_text = is_text or last_name(each.func) == "format"
                elif last_name(each.func) in _LOOKS_UP:
                    return
                elif is_text or self._reports(each):
                    yield Goes.SHOWN, each
                    return
                elif self._passes(each):
                    is_text = is_text or last_name(each.func) in ("format", "str", "repr")
                else:
                    self._is_given(each)
                    if stores(self.file, each):
                        yield Goes.KEPT, each
                    elif self._prints(each):
                        yield Goes.SHOWN, each
            elif isinstance(each, cst.FormattedString):
                is_text = True
            elif isinstance(each, cst.BinaryOperation):
                is_text = is_text or isinstance(each.operator, cst.Modulo) and child is not each.left and _is_text(each.left)
            elif isinstance(each, (cst.If, cst.While, cst.Assert)):
                if child is each.test:
                    yield Goes.TESTED, each
                return
            elif isinstance(each, cst.IfExp):
                if child is each.test:
                    yield Goes.TESTED, each
                    return
            elif isinstance(each, cst.Assign):
                if child is each.value:
                    targets = [target.target for target in each.targets]
                    yield from ((Goes.SHOWN, each) for target in targets if is_text and isinstance(target, cst.Attribute))
                    yield from ((Goes.KEPT, each) for target in targets if self._counts(target))
                    self.holders += [name for target in targets for name in _held(target)]
                return
            elif isinstance(each, (cst.AugAssign, cst.AnnAssign)):
                if child is each.value:
                    if isinstance(each, cst.AugAssign) and self.file.value(each.target).kind is Kind.LIST:
                        yield Goes.KEPT, each
                    self.holders += _held(each.target)
                return
            elif isinstance(each, (cst.For, cst.CompFor)):
                if child is each.iter:
                    self.holders += names_in(each.target)
                return
            elif isinstance(each, cst.NamedExpr):
                if child is each.target:
                    return
                self.holders += _held(each.target)
            elif isinstance(each, cst.Comparison):
                if any(isinstance(compared.operator, (cst.Is, cst.IsNot)) for compared in each.comparisons):
                    return  # what the number is has no part in it
            elif isinstance(each, (cst.BaseStatement, cst.BaseSmallStatement, cst.BaseSuite, cst.AssignTarget, cst.Lambda)):
                return
            child = each

    def _reports(self, call: cst.Call) -> bool:
        """Whether a call shows what it is given, as a line or under a label; the log of a framework keeps tensors, and reads them later."""
        if _fills_bar(call):
            return True
        if not reports(self.file, call) and not self._labels(call):
            return False
        return not (isinstance(call.func, cst.Attribute) and isinstance(call.func.value, cst.Name) and call.func.value.value == "self")

    def _prints(self, call: cst.Call) -> bool:
        """Whether a function or object of the project shows, each time it is called, the number that it is given."""
        called = callee(self.file, call) if self.deep else None
        if called is None:
            return False
        named = [name for name, given in arguments(self.file, called.node, call).items() if self.file.is_inside(self.node, given)]
        params = called.node.params
        if params.star_kwarg is not None and not {each.name.value for each in (*params.params, *params.kwonly_params)}.issuperset(named):
            named = [params.star_kwarg.name.value]
        shown = called.file.once(_ShownParameters)
        return any(shown[called.node, name, self.deep - 1] for name in named)

    def _counts(self, target: Node) -> bool:
        """`curve[step]`: an entry of its own for each iteration."""
        if not isinstance(target, cst.Subscript):
            return False
        names = (each for part in target.slice for each in descendants(part) if isinstance(each, cst.Name))
        return any(self.file.is_inside(binding.node, self.loop) for name in names for binding in self.file.names.bindings(name))

    def _labels(self, call: cst.Call) -> bool:
        """`board.plot("loss", x)`: what is given a label and a number draws a curve, unless it adds them up."""
        if not isinstance(call.func, cst.Attribute) or call.func.attr.value in _ADDS or not call.args:
            return False
        first = call.args[0]
        return first.keyword is None and _is_text(first.value) and self.file.value(call.func.value).kind in _METERS

    def _passes(self, call: cst.Call) -> bool:
        """Whether the number is in what a call returns: `round(x, 4)`, `"{:.3f}".format(x)`, `math.exp(x)`."""
        path = self.file.qualname(call.func) or ""
        return last_name(call.func) in _MAKES_NUMBERS or path.startswith(_COMPUTING)

    def _is_given(self, call: cst.Call) -> None:
        """A meter, or what else is called with the number, holds it."""
        func = call.func
        if isinstance(func, cst.Attribute) and func.attr.value not in _STEPS and self.file.value(func.value).kind in _METERS:
            self.holders += [each for each in _held(func.value) if not (isinstance(each, cst.Name) and each.value == "self")]


class _ShownParameters(dict[tuple[cst.FunctionDef, str, int], bool]):
    """Whether a function shows what it is given for a parameter, by how deep calls are followed: asked again by each call of it."""

    def __init__(self, file: FileAnalysis) -> None:
        super().__init__()
        self._file = file

    def __missing__(self, asked: tuple[cst.FunctionDef, str, int]) -> bool:
        function, name, deep = asked
        uses = self._file.tree.within(self._file.tree.names.get(name, ()), function.body)
        found = self[asked] = any(goes is Goes.SHOWN for use in uses for goes, _ in arrives(self._file, use, function, deep))
        return found


def _fills_bar(call: cst.Call) -> bool:
    """`self.log("loss", x, prog_bar=True)`: what Lightning shows beside its bar, it reads in every step."""
    if last_name(call.func) not in ("log", "log_dict"):
        return False
    return any(arg.keyword is not None and arg.keyword.value == "prog_bar" and literal(arg.value) is True for arg in call.args)


def _is_text(node: Node) -> bool:
    return isinstance(node, cst.BaseString) or isinstance(node, cst.BinaryOperation) and (_is_text(node.left) or _is_text(node.right))


def _held(target: Node) -> list[Node]:
    if isinstance(target, (cst.Attribute, cst.Subscript)):
        return [target]
    return list(names_in(target))


def _uses(file: FileAnalysis, place: Node, loop: Iteration) -> Iterator[Node]:
    """The other places in the loop that read what a place holds."""
    if isinstance(place, cst.Name):
        found: Sequence[Node] = file.tree.within(file.references(place), loop)
    elif isinstance(place, cst.Attribute):
        written = file.source(place)
        alike = file.tree.within(file.tree.attributes.get(place.attr.value, ()), loop)
        found = [each for each in alike if file.source(each) == written]
    elif isinstance(place, cst.Subscript):  # an entry, or all of them together
        written = file.source(place)
        around = [above if isinstance(above := file.parent(each), cst.Subscript) else each for each in _uses(file, place.value, loop)]
        found = [each for each in around if not isinstance(each, cst.Subscript) or file.source(each) == written or not _has_fixed_key(each)]
    else:
        return
    yield from (each for each in found if each is not place and not _is_target(file, each))


def _has_fixed_key(node: cst.Subscript) -> bool:
    index = node.slice[0].slice
    return isinstance(index, cst.Index) and isinstance(index.value, (cst.SimpleString, cst.Integer))


def _is_target(file: FileAnalysis, node: Node) -> bool:
    above = file.parent(node)
    return isinstance(above, cst.AssignTarget) or isinstance(above, cst.AugAssign) and above.target is node

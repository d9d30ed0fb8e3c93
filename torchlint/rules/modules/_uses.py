"""How code uses a container of modules: as every container can be used, so that it goes out of sight, or as only a plain one can be.

What is not known to work equally on the registering container counts as refused by it. What the container holds is answered in
`torchlint.rules.modules._containers`.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.rules.modules._containers import HeldModules
from torchlint.rules.modules._elements import elements_of
from torchlint.rules.modules._filling import method_on
from torchlint.rules.modules._registration import PASSED_ON, called, is_target
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.flow import Analysis

_LIST_METHODS = {"append": 1, "extend": 1, "insert": 2, "pop": 1}
_DICT_METHODS = {"items": 0, "keys": 0, "values": 0, "update": 1, "pop": 1, "clear": 0}
"""What both kinds of container do alike, by the number of arguments."""
_RETURNING = frozenset({"pop", "items", "keys", "values"})
"""Those whose result is the same, too: the others return the registering container, and None on a plain one."""
_RESIZING = frozenset({"append", "extend", "insert", "pop", "update", "clear"})
_READS = PASSED_ON | frozenset(
    "len any all sum max min next id bool random.choice itertools.chain itertools.zip_longest itertools.islice".split()
)
"""Calls that treat both kinds of container alike, and keep neither."""
_HOLDING = PASSED_ON | {"next", "filter", "random.choice", "itertools.chain", "itertools.zip_longest", "itertools.islice"}
"""Those whose result brings the layers along."""
_SEQUENCES_ONLY = frozenset({"random.sample", "random.shuffle", "isinstance", "type"})
"""Calls that tell a registering container from a list."""
_LEAVING = (
    cst.Return,
    cst.Yield,
    cst.From,
    cst.Lambda,
    cst.Element,
    cst.DictElement,
    cst.NamedExpr,
    cst.BooleanOperation,
    cst.IfExp,
    cst.FormattedStringExpression,
)


def leaves(held: HeldModules, node: Node) -> bool:
    """Whether the container, a slice of it or a sum with it goes somewhere: to a call that is not known, out of the method, to a name."""
    return any(_leaves(held, each) for each in (node, *_alike(held.file, node)))


def _alike(file: Analysis, node: Node) -> Iterator[Node]:
    """`self.layers[1:]`, `self.layers + [...]`: containers like the first."""
    above = file.parent(node)
    if _is_slice(above) and above.value is node or isinstance(above, cst.BinaryOperation) and above.left is node:  # type: ignore[union-attr]
        yield above  # type: ignore[misc]
        yield from _alike(file, above)  # type: ignore[arg-type]


def _is_slice(node: Node | None) -> bool:
    return isinstance(node, cst.Subscript) and any(isinstance(each.slice, cst.Slice) for each in node.slice)


def _leaves(held: HeldModules, node: Node) -> bool:
    file, above = held.file, held.file.parent(node)
    if isinstance(above, cst.Arg):
        call = file.parent(above)
        if not isinstance(call, cst.Call) or above.star:
            return False
        name = called(file, call)
        return name not in _READS or name in _HOLDING and _leaves(held, call)
    if isinstance(above, cst.AnnAssign | cst.Assign):
        return above.value is node and not any(value is node for _, _, value in held.owner.assignments.get(held.attribute, ()))
    if isinstance(above, cst.IfExp):
        return above.test is not node
    return isinstance(above, _LEAVING)


def obstacles_of_use(held: HeldModules, node: Node, dictionary: bool) -> Iterator[str]:
    """What a registering container refuses at this place, or does in another way."""
    file, above = held.file, held.file.parent(node)
    container = "nn.ModuleDict" if dictionary else "nn.ModuleList"
    if _is_stored(file, node):
        yield "something else is assigned to it in passing"
    elif isinstance(above, cst.Attribute):
        yield from _obstacles_of_method(file, above, container, _DICT_METHODS if dictionary else _LIST_METHODS)
    elif isinstance(above, cst.BinaryOperation):
        if dictionary or above.right is node or not isinstance(above.operator, cst.Add):
            yield f"`{container}` lacks this operator"
        elif not (added := elements_of(file, held.owner, above.right)) or not held.takes(added):
            yield "what is added to it may be no module"
        else:
            yield from obstacles_of_use(held, above, dictionary)
    elif isinstance(above, cst.AugAssign) and above.target is node:
        if dictionary or not isinstance(above.operator, cst.AddAssign):
            yield f"`{container}` lacks this operator"
    elif isinstance(above, cst.Comparison):
        if not all(isinstance(each.operator, (cst.Is, cst.IsNot)) for each in above.comparisons):
            yield f"a `{container}` equals no list"
    elif isinstance(above, cst.ComparisonTarget):
        if not isinstance(above.operator, (cst.Is, cst.IsNot, cst.In, cst.NotIn)):
            yield f"a `{container}` equals no list"
    elif isinstance(above, cst.Subscript) and above.value is node:
        yield from _obstacles_of_item(held, above, dictionary)
    elif isinstance(above, cst.Arg):
        call = file.parent(above)
        asked = called(file, call) if isinstance(call, cst.Call) else None
        if asked in _SEQUENCES_ONLY or dictionary and asked == "reversed":
            yield f"`{asked}` tells a `{container}` from a plain one"
    elif isinstance(above, cst.Match):
        yield f"a `{container}` matches no pattern of a list or dict"
    elif not _works_alike(above, node) and not is_target(file, node) and not _leaves(held, node):
        yield f"a `{container}` may do something else here"
    yield from _obstacles_of_resizing(held, node)


def _works_alike(above: Node | None, node: Node) -> bool:
    """Walking over it, asking whether it is empty, spreading it."""
    if isinstance(above, (cst.For, cst.CompFor)):
        return above.iter is node
    if isinstance(above, (cst.If, cst.While, cst.Assert, cst.IfExp, cst.CompIf)):
        return above.test is node
    if isinstance(above, cst.UnaryOperation):
        return isinstance(above.operator, cst.Not)
    if isinstance(above, (cst.Assign, cst.AnnAssign)):
        return above.value is node
    return isinstance(above, (cst.StarredElement, cst.StarredDictElement, cst.Expr))


def _obstacles_of_method(file: Analysis, method: cst.Attribute, container: str, known: dict[str, int]) -> Iterator[str]:
    call, name = file.parent(method), method.attr.value
    if not isinstance(call, cst.Call) or call.func is not method:
        yield f"`{name}` is taken from it without a call"
    elif name not in known:
        yield f"`{container}` has no `{name}()`"
    elif len(call.args) != known[name] or any(arg.star or arg.keyword is not None for arg in call.args):
        yield f"`{container}.{name}()` takes other arguments"
    elif name == "insert" and literal(call.args[0].value) != 0:
        yield f"`{container}.insert()` takes no place from the end or behind it"
    elif name not in _RETURNING and not isinstance(file.parent(call), cst.Expr):
        yield f"`{container}.{name}()` returns itself"


def _obstacles_of_item(held: HeldModules, item: cst.Subscript, dictionary: bool) -> Iterator[str]:
    file, above = held.file, held.file.parent(item)
    if _is_slice(item):
        if is_target(file, item) or _is_stored(file, item):
            yield "no slice of a `nn.ModuleList` can be replaced"
        elif not isinstance(above, cst.Del):
            yield from obstacles_of_use(held, item, dictionary)
    elif _is_stored(file, item) or isinstance(above, cst.AugAssign) and above.target is item:
        yield "something that may be no module takes the place of one"


def _is_stored(file: Analysis, node: Node) -> bool:
    """Whether something is assigned here other than by `x = …`: unpacked, walked, opened by `with`."""
    child, above = node, file.parent(node)
    while isinstance(above, (cst.Tuple, cst.List, cst.Element, cst.StarredElement)):
        child, above = above, file.parent(above)
    if isinstance(above, (cst.For, cst.CompFor)):
        return above.target is child
    return isinstance(above, cst.AsName) or child is not node and is_target(file, child)


def _obstacles_of_resizing(held: HeldModules, node: Node) -> Iterator[str]:
    """A list may grow and shrink while it is walked; a registering container raises."""
    file, above = held.file, held.file.parent(node)
    deleted = isinstance(above, cst.Subscript) and isinstance(file.parent(above), cst.Del)
    extended = isinstance(above, cst.AugAssign) and above.target is node
    if not deleted and not extended and method_on(file, node) not in _RESIZING:
        return
    function = file.function(node)
    name = function.name.value if isinstance(function, cst.FunctionDef) else ""
    for loop in held.loops:
        body = loop.body if isinstance(loop, cst.For) else file.parent(loop)
        if body is not None and (file.is_inside(node, body) or name and _calls(file, body, name)):
            yield "it grows or shrinks while it is walked"


def _calls(file: Analysis, body: Node, name: str) -> bool:
    return bool(file.attributes_inside(body, name)) or any(isinstance(each, cst.Name) and each.value == name for each in descendants(body))

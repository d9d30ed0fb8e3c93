"""Whether something registers a module: an attribute, `add_module`, a container of torch that the instance keeps.

What modules a class keeps in Python containers is answered in `torchlint.rules.modules._containers`.
"""

from __future__ import annotations

import libcst as cst

from torchlint.facts.module_attributes import REGISTERING_METHODS
from torchlint.program.classes import ClassModel
from torchlint.syntax.tree import COMPREHENSIONS, Node, descendants
from torchlint.values.flow import Analysis
from torchlint.values.value import Kind

PASSED_ON = frozenset("enumerate zip reversed list tuple dict sorted iter collections.OrderedDict".split())
"""Calls whose result holds what they are given."""
_ADDING = frozenset({"append", "insert", "extend", "update"})
"""Methods of a registering container."""
_WALKS = frozenset({"items", "values", "children", "named_children"})
"""Methods of a container, or of a module, that yield what stands in it."""
_DEPTH = 2
"""How many helpers deep a registration is looked for."""
_BUILTINS = frozenset({"print", "isinstance", "id", "repr", "hasattr", "getattr", "super"})
"""What may get an instance and registers nothing."""
_CARRIES = (
    cst.Arg,
    cst.StarredElement,
    cst.Element,
    cst.DictElement,
    cst.BinaryOperation,
    cst.List,
    cst.Tuple,
    cst.Set,
    cst.Dict,
    *COMPREHENSIONS,
)
"""Expressions that hold what stands in them."""


def called(file: Analysis, call: cst.Call) -> str | None:
    """The name of a called builtin, or the path of an imported function."""
    path = file.qualname(call.func)
    if path is None and isinstance(call.func, cst.Name) and not file.names.bindings(call.func):
        return call.func.value
    return path


def instance_name(file: Analysis, node: Node, definition: cst.ClassDef) -> str | None:
    """What the method of this class that holds the node calls its instance."""
    child = node
    for each in file.ancestors(node):
        if isinstance(each, cst.FunctionDef) and file.parent(each) is definition.body:
            parameters = [*each.params.posonly_params, *each.params.params]
            static = any(
                isinstance(decorator.decorator, cst.Name) and decorator.decorator.value in ("staticmethod", "classmethod")
                for decorator in each.decorators
            )
            return parameters[0].name.value if parameters and child is each.body and not static else None
        child = each
    return None


def is_on_instance(file: Analysis, node: cst.Attribute, definition: cst.ClassDef) -> bool:
    return isinstance(node.value, cst.Name) and node.value.value == instance_name(file, node, definition)


def is_target(file: Analysis, node: Node) -> bool:
    above = file.parent(node)
    return isinstance(above, cst.AssignTarget) or isinstance(above, (cst.AugAssign, cst.AnnAssign)) and above.target is node


def is_after_base_constructor(file: Analysis, method: cst.FunctionDef, node: Node) -> bool:
    """Whether `super().__init__()`, or the base constructor by name, is called before the node in a constructor."""
    for attribute in file.tree.within(file.tree.attributes.get("__init__", ()), method.body):
        call = file.parent(attribute)
        if isinstance(call, cst.Call) and call.func is attribute and file.is_after(node, call):
            return True
    return False


def is_part_of_instance(file: Analysis, owner: ClassModel, node: cst.BaseExpression) -> bool:
    """`self.conv1`, `self.features[0]`, `self.backbone.layer1`: reached through an attribute without making anything."""
    base: Node = node
    while isinstance(base, (cst.Attribute, cst.Subscript)):
        if isinstance(base, cst.Attribute) and is_on_instance(file, base, owner.node):
            return True
        base = base.value
    return False


def is_handed_over(file: Analysis, owner: ClassModel, node: Node, depth: int = _DEPTH) -> bool:
    """Whether this appearance of a container or a module is where something registers it."""
    child, above = node, file.parent(node)
    while above is not None:
        if isinstance(above, cst.Call) and child is not above.func:
            name = called(file, above)
            if _registers(file, owner, above) or _collects(file, owner, above, depth):
                return True
            if isinstance(child, cst.Arg) and _helper_registers(file, owner, above, child, depth):
                return True
            if name not in PASSED_ON:
                return file.value(above).kind is Kind.MODULE and _is_kept(file, owner, above)
        elif isinstance(above, (cst.For, cst.CompFor)) and child is above.iter:
            return _is_registered_one_by_one(file, owner, above, depth)
        elif isinstance(above, cst.Attribute):
            call = file.parent(above)
            if above.attr.value in _WALKS and isinstance(call, cst.Call):
                above = call
            elif above.attr.value != "_modules":
                return False
        elif isinstance(above, cst.Subscript):
            if child is not above.value:
                return False
        elif isinstance(above, cst.Assign):
            return _sets_module_table(above, node)
        elif isinstance(above, cst.AugAssign):
            return child is above.value and isinstance(above.target, cst.Name) and _is_collected(file, owner, above.target, depth)
        elif not isinstance(above, _CARRIES):
            return False
        child, above = above, file.parent(above)
    return False


def _registers(file: Analysis, owner: ClassModel, call: cst.Call) -> bool:
    """`self.add_module(name, m)`, `setattr(self, name, m)`, `super().__init__(*layers)`."""
    func = call.func
    instance = instance_name(file, call, owner.node)
    if isinstance(func, cst.Attribute):
        if func.attr.value in REGISTERING_METHODS:
            return True
        if func.attr.value in ("update", "setdefault") and isinstance(func.value, cst.Attribute) and func.value.attr.value == "_modules":
            return True
        if func.attr.value in _ADDING and is_part_of_instance(file, owner, func.value) and file.value(func.value).kind is Kind.MODULE:
            return True
        return (
            func.attr.value == "__init__"
            and isinstance(func.value, cst.Call)
            and isinstance(func.value.func, cst.Name)
            and func.value.func.value == "super"
        )
    given = [arg.value for arg in call.args]
    if isinstance(func, cst.Name) and func.value == "setattr":
        return len(given) == 3 and isinstance(given[0], cst.Name) and given[0].value == instance
    # whoever gets the instance together with the layers may register them
    return called(file, call) not in _BUILTINS and any(isinstance(each, cst.Name) and each.value == instance for each in given)


def _collects(file: Analysis, owner: ClassModel, call: cst.Call, depth: int) -> bool:
    """`layers.append(layer)`, where the local list goes on to something that registers."""
    func = call.func
    if not isinstance(func, cst.Attribute) or func.attr.value not in _ADDING or not isinstance(func.value, cst.Name):
        return False
    return _is_collected(file, owner, func.value, depth)


def _is_collected(file: Analysis, owner: ClassModel, container: cst.Name, depth: int) -> bool:
    return depth > 0 and any(is_handed_over(file, owner, use, depth - 1) for use in file.references(container))


def _helper(file: Analysis, owner: ClassModel, call: cst.Call) -> tuple[ClassModel, cst.FunctionDef] | None:
    """The method of the project that `self.method(…)` calls, and the class that it stands in."""
    if isinstance(call.func, cst.Attribute) and is_on_instance(file, call.func, owner.node):
        for model in owner.ancestry:
            found = model.own_methods.get(call.func.attr.value)
            if found is not None:
                return model, found
    return None


def _helper_registers(file: Analysis, owner: ClassModel, call: cst.Call, arg: cst.Arg, depth: int) -> bool:
    """Whether a method of the class registers what it is given here: `self.adopt(name, layer)`."""
    found = _helper(file, owner, call) if depth else None
    if found is None:
        return False
    model, method = found
    taken = [*method.params.posonly_params, *method.params.params][1:]
    position = call.args.index(arg)
    names = {each.name.value for each in (*taken, *method.params.kwonly_params)}
    name = arg.keyword.value if arg.keyword is not None else taken[position].name.value if position < len(taken) else ""
    if name not in names:
        return False
    uses = [each for each in model.file.tree.names.get(name, ()) if model.file.is_inside(each, method.body)]
    return any(is_handed_over(model.file, model, each, depth - 1) for each in uses)


def makes_registered(file: Analysis, owner: ClassModel, call: cst.Call) -> bool:
    """Whether a method of the class registers what it returns: `self.layers = [self.make(i) for i in range(3)]`."""
    found = _helper(file, owner, call)
    if found is None:
        return False
    model, method = found
    returned = [each.value for each in model.file.inside(method, cst.Return) if model.file.function(each) is method]
    return any(isinstance(each, cst.Name) and is_registered_name(model.file, model, each) for each in returned)


def _sets_module_table(node: cst.Assign, value: Node) -> bool:
    """`self._modules[name] = m`."""
    for target in node.targets if node.value is value else ():
        each = target.target
        if isinstance(each, cst.Subscript) and isinstance(each.value, cst.Attribute) and each.value.attr.value == "_modules":
            return True
    return False


def _is_kept(file: Analysis, owner: ClassModel, call: cst.Call) -> bool:
    """Whether what a call makes ends up as an attribute of the instance, or leaves the method."""
    child: Node = call
    for each in file.ancestors(call):
        if isinstance(each, (cst.Assign, cst.AnnAssign)):
            targets = [target.target for target in each.targets] if isinstance(each, cst.Assign) else [each.target]
            return any(
                isinstance(target, cst.Attribute) and is_on_instance(file, target, owner.node) or isinstance(target, cst.Subscript)
                for target in targets
            )
        if isinstance(each, cst.Return):
            return child is each.value and child is call
        if isinstance(each, cst.Call) and _registers(file, owner, each):
            return True
        if isinstance(each, (cst.BaseCompoundStatement, cst.Expr)):
            return False
        child = each
    return False


def _is_registered_one_by_one(file: Analysis, owner: ClassModel, clause: cst.For | cst.CompFor, depth: int) -> bool:
    """`for i, layer in enumerate(self.layers): self.add_module(str(i), layer)`."""
    names = [node for node in descendants(clause.target) if isinstance(node, cst.Name)]
    around: Node | None = clause.body if isinstance(clause, cst.For) else file.parent(clause)
    if around is None or not names:
        return False
    wanted = {name.value for name in names}
    return any(
        isinstance(node, cst.Name) and node.value in wanted and node not in names and is_handed_over(file, owner, node, depth)
        for node in descendants(around)
    )


def is_registered_name(file: Analysis, owner: ClassModel, name: cst.Name) -> bool:
    """Whether the variable is an attribute of the instance too, or goes into something that registers it."""
    for each in file.references(name):
        above = file.parent(each)
        statement = file.parent(above) if isinstance(above, cst.AssignTarget) else above
        if isinstance(statement, cst.Assign) and (each is statement.value or isinstance(above, cst.AssignTarget)):
            targets = [target.target for target in statement.targets]
            if any(isinstance(target, cst.Attribute) and is_on_instance(file, target, owner.node) for target in targets):
                return True
        if is_handed_over(file, owner, each):
            return True
    return False

"""Whether a wrapper around a module is ever run here, or only put on for the keys of a checkpoint, and perhaps taken off again."""

from __future__ import annotations

import re

import libcst as cst

from torchlint.syntax.tree import Node
from torchlint.values.flow import Analysis
from torchlint.values.references import BUILTINS

PASSES_ON = frozenset({"to", "cuda", "cpu", "train", "eval", "half", "float"})
_ONLY_STATE = frozenset({"module", "state_dict", "load_state_dict"})
_DEPTH = 3
_LOADS = re.compile(r"(?:load|restore|resume)", re.IGNORECASE)


def never_runs(file: Analysis, call: cst.Call) -> bool:
    """`Wrapper(m).state_dict()`, or `m = Wrapper(m)` … `m = m.module` without a call in between."""
    node: Node = call
    above = file.parent(node)
    while isinstance(above, cst.Attribute):
        if above.attr.value in _ONLY_STATE:
            return True
        outer = file.parent(above)
        if above.attr.value not in PASSES_ON or not isinstance(outer, cst.Call):
            return False
        node, above = outer, file.parent(outer)
    if isinstance(above, cst.Return):
        return _promises(file, above, call)
    return isinstance(above, cst.Assign) and _is_only_unwrapped(file, above, _DEPTH)


def loads_keys(file: Analysis, call: cst.Call) -> bool:
    """`m = Wrapper(m)`, then `m.load_state_dict(…)` before it is run: the keys of the checkpoint begin with `module.`.

    A helper of the project may load it: `restore(path, m)`, or `checkpoints.register(model=m)` and `checkpoints.load(path)`.
    """
    assign = next((each for each in file.ancestors(call) if isinstance(each, (cst.Assign, cst.BaseCompoundStatement))), None)
    if not isinstance(assign, cst.Assign) or len(assign.targets) != 1 or not isinstance(assign.targets[0].target, cst.Name):
        return False
    for use in file.references(assign.targets[0].target):
        block = file.parent(file.statement(use))
        if not file.is_after(use, assign) or file.is_inside(use, assign) or block is None or not file.is_inside(assign, block):
            continue  # before it, or in another branch
        above = file.parent(use)
        outer = file.parent(above) if above is not None else None
        if isinstance(above, cst.Attribute):
            if above.attr.value in ("load_state_dict", "forward"):
                return above.attr.value == "load_state_dict"
        elif isinstance(above, cst.Arg) and isinstance(outer, cst.Call):
            if _loads(file, outer):
                return True
            if not _looks(file, outer):
                return False
        elif isinstance(above, cst.Call):
            return False
    return False


def _loads(file: Analysis, call: cst.Call) -> bool:
    """Whether a call loads what it is given, or gives it to somebody who is asked to load later."""
    func = call.func
    if file.qualname(func) is None and _LOADS.match(_last_name(func)):
        return True
    if not isinstance(func, cst.Attribute) or not isinstance(func.value, cst.Name) or file.qualname(func.value) is not None:
        return False
    asked = (file.parent(use) for use in file.references(func.value))
    return any(isinstance(each, cst.Attribute) and _LOADS.match(each.attr.value) and file.is_after(each, call) for each in asked)


def _looks(file: Analysis, call: cst.Call) -> bool:
    return isinstance(call.func, cst.Name) and call.func.value in BUILTINS and not file.names.bindings(call.func)


def _last_name(func: Node) -> str:
    return str(func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else "")


def _promises(file: Analysis, statement: cst.Return, call: cst.Call) -> bool:
    """Whether the function's annotation says that it returns such a wrapper: whoever calls it has asked for one."""
    function = file.function(statement)
    annotation = function.returns.annotation if isinstance(function, cst.FunctionDef) and function.returns is not None else None
    return annotation is not None and statement.value is call and file.qualname(annotation) == file.qualname(call.func)


def _is_only_unwrapped(file: Analysis, assign: cst.Assign, depth: int) -> bool:
    """Whether the name that is assigned is never called: it goes to something that unwraps it, or is only asked for its state."""
    if depth == 0 or len(assign.targets) != 1 or not isinstance(assign.targets[0].target, cst.Name):
        return False
    name, asked = assign.targets[0].target, False
    for use in file.references(name):
        elsewhere = file.function(use) is not file.function(name)  # and perhaps run after it, wherever it stands
        around = file.parent(use)
        if not elsewhere and not file.is_after(use, assign) or file.is_inside(use, assign) or isinstance(around, cst.Param):
            continue
        if isinstance(around, cst.Attribute) and around.attr.value == "module" and _is_bound_again(file, around, name.value):
            return True
        if isinstance(around, cst.Arg):
            call = file.parent(around)
            above = file.parent(call) if call is not None else None
            return _unwraps(call) or isinstance(above, cst.Assign) and above.value is call and _is_only_unwrapped(file, above, depth - 1)
        if not isinstance(around, (cst.Attribute, cst.AssignTarget)):
            return False  # called, or handed to somebody who may call it
        if isinstance(around, cst.Attribute):
            if around.attr.value not in _ONLY_STATE | PASSES_ON:
                return False
            asked = asked or around.attr.value == "state_dict"
    return asked


def _unwraps(call: Node | None) -> bool:
    """`accelerator.unwrap_model(m)`, `extract_model_from_parallel(m)`: nobody else takes such an argument."""
    name = _last_name(call.func) if isinstance(call, cst.Call) else ""
    return name.startswith("unwrap") or name.endswith("from_parallel")


def _is_bound_again(file: Analysis, node: cst.Attribute, name: str) -> bool:
    """`m = m.module`"""
    statement = file.parent(node)
    if not isinstance(statement, cst.Assign) or statement.value is not node:
        return False
    return any(isinstance(target.target, cst.Name) and target.target.value == name for target in statement.targets)

"""Train and eval mode: for which modules they make a difference, and in which of them a module is used."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.facts.modules import MODAL_BY_DEFAULT, MODELESS_MODULES
from torchlint.facts.written import word
from torchlint.model.evaluation import Evaluation
from torchlint.model.training import TrainingLoop, trained_modules
from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Event, Happens
from torchlint.values.value import Kind, Value

_SETS_MODE = re.compile(rf"\.\s*eval\s*\(\s*\)|\.\s*train\s*\(|\.training\s*=|{word('set_mode')}\b|{word('eval_mode')}\b")
_SETS_EVAL = re.compile(rf"\.eval\b|\.train\(|\.training\b|{word('mode')}\b|\.modules\(")
_TRAINS = re.compile(r"\.backward\s*\(")


def depends_on_mode(module: Value) -> bool | None:
    """Whether a module behaves differently in the two modes; None where that is not known."""
    path = module.qualname or ""
    if path.startswith("torchvision.models."):
        return True
    if isinstance(module.definition, ClassModel):
        return _class_depends(module.definition, set())
    if path == "torch.nn.Sequential":
        parts = [depends_on_mode(each) for each in module.sources]
        return True if True in parts else None if None in parts else False
    return _layer_depends(path)


def _layer_depends(path: str) -> bool | None:
    """The same of torch's own layers; those that hold others, or may have dropout of their own, are not looked into."""
    return True if path in MODAL_BY_DEFAULT else False if path in MODELESS_MODULES else None


def _class_depends(model: ClassModel, seen: set[ClassModel]) -> bool | None:
    if model in seen:
        return False
    seen.add(model)
    found: set[bool | None] = {None} if model.is_open else set()
    for each in model.ancestry:
        if each.own_methods.keys() & {"train", "eval"}:
            return None  # it has a mode of its own
        for node in each.file.inside(each.node, cst.Call):
            path = each.file.qualname(node.func) or ""
            if path.startswith("torch.nn.functional.") and path.endswith("dropout"):
                found.add(any(arg.keyword is not None and arg.keyword.value == "training" for arg in node.args) or None)
            elif path.startswith("torch.nn.") and path[9:10].isupper():
                found.add(_layer_depends(path))
            else:
                inner = each.file.class_of(node.func)
                if isinstance(inner, ClassModel) and inner.is_module:
                    found.add(_class_depends(inner, seen))
    return True if True in found else None if None in found else False


def mode_is_never_set(file: FileAnalysis) -> bool:
    """Whether nothing in the run sets a mode or trains."""
    return not file.is_written(_SETS_MODE) and not file.is_written(_TRAINS)


def is_in_train_mode(found: Evaluation) -> bool:
    """Whether a module surely is in train mode where it is evaluated: it was put into it, or nobody ever puts it into eval mode."""
    file = found.file
    if found.is_handed_on:
        return False  # whoever gets it may switch it
    mode = found.mode
    if mode is not None:
        return mode.what is Happens.TRAIN and not mode.chain
    return not found.switched and file.is_written(_TRAINS) and not file.is_written(_SETS_EVAL)


def is_sampled(found: Evaluation) -> bool:
    """Whether a loop calls a module that was just put into train mode with what no iteration changes."""
    loop = found.scope
    if not isinstance(loop, cst.For) or found.mode is None:
        return False
    changed = set(_named(loop.target, *_targets(found.file, loop)))
    given = list(_named(*(arg.value for call in found.calls for arg in call.args)))
    return bool(given) and not changed.intersection(given)


def _named(*nodes: Node) -> Iterator[str]:
    return (each.value for node in nodes for each in descendants(node) if isinstance(each, cst.Name))


def _targets(file: FileAnalysis, loop: cst.For) -> Iterator[cst.CSTNode]:
    """What is bound or changed inside of a loop."""
    yield from (each.target for each in file.inside(loop.body, cst.AssignTarget))
    yield from (each.target for each in file.inside(loop.body, cst.AugAssign))
    yield from (each.target for each in file.inside(loop.body, cst.For))


def place_before(found: Evaluation) -> Node | None:
    """The statement before which the module can be put into eval mode: the outermost loop of the evaluation, or the call's own.

    Where every round of the loop puts it into train mode, it is the call's own as well.
    """
    func = found.calls[0].func
    if not isinstance(func, (cst.Name, cst.Attribute)):
        return None
    around = isinstance(found.scope, (cst.For, cst.While))
    if around and not any(found.file.is_inside(each.site, found.scope) for each in found.switched):
        return found.scope
    return found.calls[0]


def loading(found: Evaluation) -> cst.Call | None:
    """Where the module was given its weights before, in the same function."""
    file, used = found.file, found.calls[0]
    for call in file.methods("load_state_dict"):
        if not isinstance(call.func, cst.Attribute) or file.function(call) is not found.function:
            continue
        loaded, alone = call.func.value, isinstance(file.parent(call), cst.Expr)
        if alone and found.flow.values.get(loaded) is found.module and file.is_after(used, call):
            return call if file.source(loaded) == file.source(used.func) else None
    return None


def left_in_eval(training: TrainingLoop) -> Iterator[Event]:
    """The switches to eval mode in a loop that trains the same module and never switches back."""
    if not training.repeats or training.is_managed:
        return
    trained = {each for step in training.happening(Happens.STEP) if step.target is not None for each in trained_modules(step.target)}
    order = training.file.tree.order
    first = min((order[each.site] for each in training.happening(Happens.BACKWARD)), default=0)
    for switch in training.happening(Happens.EVAL):
        module = switch.target
        if module is None or id(module) not in trained or depends_on_mode(module) is False:
            continue
        if module.node in order and training.file.is_inside(module.node, training.node):
            continue  # a new one in each round
        if order[switch.site] < first or any(each.target is module for each in training.happening(Happens.TRAIN)):
            continue
        if any(each.what is Happens.OPAQUE and module in each.values for each in training.events) or module.kind is not Kind.MODULE:
            continue  # whoever gets it may switch it back
        yield switch

"""What a value is brought to the host for: whether a wait could go, has to stay, or is rare."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import libcst as cst

from torchlint.facts.tensors import ARRAY_PACKAGES
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._guards import is_rare
from torchlint.rules.device._hot import Iteration, is_environment_step, last_name, names_in
from torchlint.rules.device._shown import Goes, arrives, reports, stores
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind

_COPIES = frozenset("cpu numpy tolist".split())
_REDUCTIONS = frozenset("sum mean item max min".split())


class Purpose(Enum):
    """What becomes of a wait."""

    GOES = "goes"
    """The loop could do without it."""
    STAYS = "stays"
    """The host needs the value in this very iteration: to collect it, to decide, to act."""
    RARE = "rare"
    """Only some iterations get there."""


def purpose(file: FileAnalysis, node: Node, loop: Iteration, *, trains: bool, read: bool = True) -> Purpose:
    """What a wait in a hot loop, or in a function that it calls, is for.

    `trains`: whether the loop runs backward; `read`: whether a number is asked for, and not the tensor itself printed or tested.
    """
    if is_rare(file, node, loop):
        return Purpose.RARE
    if _is_collected(file, node, loop) or _is_acted_on(file, node) or (_is_needed(file, node, loop) if read else _decides(file, node)):
        return Purpose.STAYS
    if is_copy(file, node) and not is_reduced(file, node) and (not trains or _is_handed_on(file, node, loop)):
        return Purpose.STAYS  # without training, the loop is there to bring results to the host
    return Purpose.GOES


def is_copy(file: FileAnalysis, node: Node) -> bool:
    """Whether a whole tensor goes to the host, not a number."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return False
    return node.func.attr.value in _COPIES and not file.value(node.func.value).scalar


def is_reduced(file: FileAnalysis, node: Node) -> bool:
    """`x.cpu().sum()`: only a number is wanted of it."""
    above = file.parent(node)
    call = file.parent(above) if isinstance(above, cst.Attribute) and above.attr.value in _REDUCTIONS else None
    return isinstance(call, cst.Call) and not call.args


def _is_collected(file: FileAnalysis, node: Node, loop: Iteration) -> bool:
    """Whether the value goes straight into a container: a learning curve, or results for the host."""
    displayed = False
    for each in file.ancestors(node):
        if isinstance(each, cst.Call) and not file.is_inside(node, each.func):
            if stores(file, each):
                return True
            if displayed:
                return False  # a row for a logger: `wandb.log({"loss": loss.item()})`
        if isinstance(each, (cst.ListComp, cst.DictComp)):
            return True
        displayed = displayed or isinstance(each, cst.Dict)
        if isinstance(each, cst.AugAssign):
            return file.value(each.target).kind is Kind.LIST
        if isinstance(each, cst.Assign):
            uses = list(_uses(file, each, loop))
            return (
                any(isinstance(target.target, cst.Subscript) for target in each.targets)
                or any(_is_stored(file, use) for use in uses)
                or (displayed and not all(_is_said(file, use) for use in uses))
            )
        if isinstance(each, cst.BaseCompoundStatement):
            return False
    return displayed


def _uses(file: FileAnalysis, assign: cst.Assign, loop: Iteration) -> Iterator[cst.Name]:
    """Where an assigned name is used in the loop."""
    for target in assign.targets:
        for name in names_in(target.target):
            yield from (use for use in file.references(name) if use is not name and file.is_inside(use, loop))


def _is_stored(file: FileAnalysis, use: Node) -> bool:
    above = file.parent(use)
    call = file.parent(above) if isinstance(above, cst.Arg) else None
    return isinstance(call, cst.Call) and stores(file, call)


def _is_said(file: FileAnalysis, use: Node) -> bool:
    """Whether a row of values goes to a call that keeps nothing of it: `log(row)`, `bar.set_postfix(**row)`, `str(row)`."""
    above = file.parent(use)
    call = file.parent(above) if isinstance(above, cst.Arg) else None
    return isinstance(call, cst.Call)


def _is_handed_on(file: FileAnalysis, node: Node, loop: Iteration, seen: set[Node] | None = None) -> bool:
    """Whether a whole tensor is given to something that may need it there and then: `memory.update(indices, priorities.cpu())`."""
    for each in file.ancestors(node):
        if isinstance(each, cst.Arg):
            call = file.parent(each)
            return isinstance(call, cst.Call) and not _only_measures(file, call)
        if isinstance(each, (cst.AugAssign, cst.Comparison)):
            return False
        if isinstance(each, cst.Assign):
            done = set() if seen is None else seen  # `a, b = b, a + b` leads back to itself
            if each in done:
                return False
            done.add(each)
            return any(_is_taken_apart(file, use) or _is_handed_on(file, use, loop, done) for use in _uses(file, each, loop))
        if isinstance(each, cst.BaseSuite):
            return False
    return False


def _is_taken_apart(file: FileAnalysis, use: Node) -> bool:
    """`labels[i]`: element by element, on the host."""
    above = file.parent(use)
    return isinstance(above, cst.Subscript) and above.value is use


def _only_measures(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a call makes a number of what it is given, or a line of text: `f1_score(…)`, `np.mean(…)`, `print(…)`, `float(…)`."""
    path = file.qualname(call.func)
    if path is not None:
        return path.startswith((*ARRAY_PACKAGES, "torchmetrics."))
    return reports(file, call) or last_name(call.func) in ("float", "int", "len", "round")


def _is_acted_on(file: FileAnalysis, node: Node) -> bool:
    """Whether the value goes into `env.step(…)`: an environment needs its action on the host."""
    for each in file.ancestors(node):
        if isinstance(each, cst.Call) and not file.is_inside(node, each.func) and _steps(file, each):
            return True
        if isinstance(each, cst.Assign):
            uses = (use for target in each.targets if isinstance(target.target, cst.Name) for use in file.references(target.target))
            return any(isinstance(above := file.parent(use), cst.Arg) and _steps(file, file.parent(above)) for use in uses)
        if isinstance(each, cst.BaseCompoundStatement):
            return False
    return False


def _steps(file: FileAnalysis, call: Node | None) -> bool:
    return isinstance(call, cst.Call) and last_name(call.func) == "step" and is_environment_step(file, call)


def _decides(file: FileAnalysis, node: Node) -> bool:
    """Whether the host asks a tensor itself to go on: it decides what is run, not only what is kept or said."""
    for each in file.ancestors(node):
        if isinstance(each, cst.BaseSuite):
            return False
        if isinstance(each, (cst.If, cst.While, cst.Assert)):
            return not (isinstance(each, cst.If) and _only_notes(file, each))
    return False


def _is_needed(file: FileAnalysis, node: Node, loop: Iteration) -> bool:
    """Whether the iteration shows the number, or keeps it beside those of the others, or goes on as it says."""
    return any(
        goes is not Goes.TESTED or not (isinstance(place, cst.If) and _only_notes(file, place)) for goes, place in arrives(file, node, loop)
    )


def _only_notes(file: FileAnalysis, branch: cst.If) -> bool:
    """Whether a branch only assigns and reports: `if loss < best: best = loss`."""
    suites = [branch.body]
    if isinstance(branch.orelse, cst.Else):
        suites.append(branch.orelse.body)
    elif branch.orelse is not None:
        return False
    lines = [line for suite in suites for line in suite.body]
    return all(_notes(file, each) for line in lines for each in (line.body if isinstance(line, cst.SimpleStatementLine) else (line,)))


def _notes(file: FileAnalysis, statement: Node) -> bool:
    if isinstance(statement, cst.Expr):
        return isinstance(statement.value, cst.Call) and reports(file, statement.value)
    if isinstance(statement, cst.Assign):
        return last_name(statement.value) not in ("True", "False")  # a flag decides later
    return isinstance(statement, (cst.AugAssign, cst.Pass))

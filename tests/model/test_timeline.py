"""Timelines: the ways through an iteration, in which order events follow one another on them, and what is certain."""

import libcst as cst
import pytest
from probing import model

from torchlint.model.timeline import Timeline
from torchlint.model.training import loops
from torchlint.program.analysis import FileAnalysis
from torchlint.values.events import Event, Happens

BACKWARD, CLEAR, STEP, CLIP = Happens.BACKWARD, Happens.CLEAR, Happens.STEP, Happens.CLIP
HEAD = "net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters())\n"
LETTERS = {"B": "loss.backward()", "S": "opt.step()", "C": "opt.zero_grad()"}


def written(body: str) -> str:
    """The rows of an iteration, with B, S and C for backward, step and clearing."""
    words = (" ".join(LETTERS.get(word, word) for word in row.split(" ")) for row in body.split("\n"))
    return "\n".join("    " + row for row in words)


def timeline(body: str, *, above: str = "") -> tuple[FileAnalysis, Timeline]:
    file = model(HEAD + above + "for x in loader:\n    loss = net(x).sum()\n" + written(body) + "\n")
    (loop,) = [each for each in loops(file) if each.steps]
    (step,) = loop.steps
    assert step.target is not None
    return file, loop.timeline(step.target)


def ways(body: str, *, above: str = "") -> list[str]:
    _, found = timeline(body, above=above)
    runs = found.runs(BACKWARD, CLEAR, STEP)
    assert runs is not None
    letter = {BACKWARD: "B", CLEAR: "C", STEP: "S"}
    return sorted("".join(letter[each.what] for each in run.seen) + ("!" if run.left else "") for run in runs)


WAYS = {
    "straight": ("C\nB\nS", ["CBS"]),
    "if": ("if a:\n    C\nB\nS", ["BS", "CBS"]),
    "else": ("if a:\n    C\n    B\nelse:\n    B\nS", ["BS", "CBS"]),
    "elif": ("if a:\n    C\nelif b:\n    B\nelse:\n    S", ["B", "C", "S"]),
    "asked twice": ("if a:\n    C\nB\nif not a:\n    S", ["BS", "CB"]),
    "asked twice, negated by `is not`": ("if a is not None:\n    C\nB\nif a is None:\n    S", ["BS", "CB"]),
    "asked anew": ("if a:\n    C\na = x > 0\nif a:\n    S\nB", ["B", "CB", "CSB", "SB"]),
    "asked by calls": ("if f():\n    C\nif f():\n    B\nS", ["BS", "CBS", "CS", "S"]),
    "part of a question": ("if a and b:\n    B\nif not a:\n    C\nS", ["BS", "CS", "S"]),
    "and": ("B\na and S", ["B", "BS"]),
    "or": ("B\na or S", ["B", "BS"]),
    "conditional expression": ("B\nS if a else C", ["BC", "BS"]),
    "continue": ("B\nif a:\n    continue\nS", ["B", "BS"]),
    "continue, deeper": ("B\nif a:\n    if b:\n        continue\nS", ["B", "BS", "BS"]),
    "break": ("B\nif a:\n    break\nS", ["B!", "BS"]),
    "break of an inner loop": ("B\nfor i in y:\n    if i:\n        break\n    C\nS", ["BCS", "BS"]),
    "try": ("try:\n    B\n    S\nexcept ValueError:\n    C", ["BS", "C"]),
    "finally": ("try:\n    B\nfinally:\n    S", ["BS"]),
    "match": ("match a:\n    case 1:\n        B\n    case 2:\n        C\nS", ["BS", "CS", "S"]),
    "match, all taken": ("match a:\n    case 1:\n        B\n    case _:\n        C\nS", ["BS", "CS"]),
}


@pytest.mark.parametrize(("body", "expected"), WAYS.values(), ids=WAYS)
def test_runs_are_the_ways_through_an_iteration(body: str, expected: list[str]) -> None:
    assert ways(body) == expected


HELPERS = {
    "its conditions": ("def f(a):\n    if a:\n        opt.zero_grad()\n", "f(x)\nB\nS", ["BS", "CBS"]),
    "its conditions, as the caller's": ("def f(a):\n    if a:\n        opt.zero_grad()\n", "f(b)\nB\nif b:\n    S", ["B", "CBS"]),
    "its early exits": (
        "def f(a):\n    if a:\n        if not q:\n            return\n    opt.zero_grad()\n",
        "f(x)\nB\nS",
        ["BS", "CBS", "CBS"],
    ),
    "the caller goes on": ("def f(a):\n    if a:\n        return\n    opt.zero_grad()\n", "f(x)\nB\nS", ["BS", "CBS"]),
}


@pytest.mark.parametrize(("above", "body", "expected"), HELPERS.values(), ids=HELPERS)
def test_helpers_are_part_of_the_way(above: str, body: str, expected: list[str]) -> None:
    assert ways(body, above=above) == expected


def test_condition_outside_the_loop_is_no_question() -> None:
    file = model(HEAD + "if a:\n    for x in loader:\n        net(x).sum().backward()\n        opt.step()\n")
    (loop,) = loops(file)
    assert loop.steps[0].target is not None

    runs = loop.timeline(loop.steps[0].target).runs(BACKWARD, STEP)

    assert runs is not None
    assert len(runs) == 1


def test_too_many_ways_make_nothing_certain_and_everything_possible() -> None:
    _, found = timeline("\n".join(f"if a{i}:\n    B" for i in range(10)) + "\nS")

    assert found.runs(BACKWARD, STEP) is None
    assert not list(found.always(BACKWARD, STEP))
    assert found.may(STEP, BACKWARD)


def rows(file: FileAnalysis, found: list[tuple[Event, ...]]) -> list[str]:
    return [" ".join(file.source(each.node) for each in events) for events in found]


def test_pattern_that_holds_on_every_way_is_found_by_always_and_on_some_by_ever() -> None:
    file, found = timeline("B\nif a:\n    C\nS")

    assert rows(file, list(found.always(BACKWARD, STEP))) == ["loss.backward() opt.step()"]
    assert rows(file, list(found.always(BACKWARD, CLEAR, STEP))) == []
    assert rows(file, list(found.ever(BACKWARD, CLEAR, STEP))) == ["loss.backward() opt.zero_grad() opt.step()"]
    assert rows(file, list(found.ever(BACKWARD, STEP, among=(CLEAR,)))) == ["loss.backward() opt.step()"]
    assert found.may(BACKWARD, CLEAR)
    assert not found.may(STEP, CLEAR)


def test_pattern_may_be_asked_for_one_event() -> None:
    _, found = timeline("C\nB\nS\nC")
    first, last = (each.event for each in found.all(CLEAR))

    assert found.may(CLEAR, BACKWARD, at=first)
    assert not found.may(CLEAR, BACKWARD, at=last)
    assert found.has(CLEAR)
    assert not found.has(CLIP)


def test_event_is_equal_to_itself_alone_and_knows_the_calls_that_lead_to_it() -> None:
    file = model(HEAD + "def g():\n    opt.step()\ndef f():\n    g()\nfor x in loader:\n    net(x).sum().backward()\n    f()\n    f()\n")
    (loop,) = [each for each in loops(file) if each.steps]
    first, second = loop.happening(STEP)

    assert first != second
    assert [file.source(each) for each in first.chain] == ["f()", "g()"]
    assert isinstance(first.site, cst.Call)
    assert file.is_after(second.site, first.site)


def test_events_stand_in_the_order_of_the_last_pass_over_a_loop() -> None:
    file = model(
        HEAD + "s = None\nfor x in loader:\n    if s:\n        s.step(opt)\n    net(x).sum().backward()\n    s = torch.amp.GradScaler()\n"
    )
    (loop,) = loops(file)

    assert [each.what for each in loop.events if each.what in (STEP, BACKWARD)] == [STEP, BACKWARD]


SETTLED = {
    "given": ("clip(o=opt)", ["BS"]),
    "None": ("clip(o=None)", ["CBS"]),
    "unknown": ("clip(o=a)", ["BS", "CBS"]),
}


@pytest.mark.parametrize(("call", "expected"), SETTLED.values(), ids=SETTLED)
def test_whether_an_argument_is_none_is_no_question_where_the_caller_says_it(call: str, expected: list[str]) -> None:
    above = "def clip(o):\n    if o is None:\n        opt.zero_grad()\n"

    assert ways(f"{call}\nB\nS", above=above) == expected

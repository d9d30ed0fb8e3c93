"""Training loops, totals, containers and waits: what happens in them, on which paths, and for how long it is kept."""

import textwrap

import libcst as cst
import pytest
from probing import model

from torchlint.model.training import TrainingLoop, loops
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.autograd._stores import stores
from torchlint.rules.autograd._totals import accumulations
from torchlint.rules.device._waits import Wait, stalls
from torchlint.rules.training._carried import carried
from torchlint.values.events import Event

SETUP = "net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters())\n"


def training(body: str, *, above: str = "", loop: str = "for x, y in loader:") -> FileAnalysis:
    return model(SETUP + textwrap.dedent(above) + loop + "\n" + textwrap.indent(textwrap.dedent(body), "    "))


def the_loop(file: FileAnalysis) -> TrainingLoop:
    (found,) = [each for each in loops(file) if each.steps]
    return found


def verdict(file: FileAnalysis) -> str:
    """Of the one step of the one loop: whether gradients are carried into it."""
    (step,) = the_loop(file).steps
    assert step.target is not None
    return "carried" if list(carried(the_loop(file))) else "not carried"


def row(file: FileAnalysis, event: Event | None) -> int:
    assert event is not None
    return file.positions.location(file.span(event.site)[0])[0] - 3  # below the imports


LOSS = "loss = F.mse_loss(net(x), y)\n"
TRAIN = "def train(x, y):\n    loss = F.mse_loss(net(x), y)\n    loss.backward()\n    opt.step()\n"
EVALUATE = "def closure():\n    loss = F.mse_loss(net(x), y)\n    loss.backward()\n    return loss\n"
LOOPS = {
    "plain": ("opt.zero_grad()\n" + LOSS + "loss.backward()\nopt.step()", "", "not carried"),
    "nothing cleared": (LOSS + "loss.backward()\nopt.step()", "", "carried"),
    "cleared afterwards": (LOSS + "loss.backward()\nopt.step()\nopt.zero_grad()", "", "not carried"),
    "cleared through the model": ("net.zero_grad()\n" + LOSS + "loss.backward()\nopt.step()", "", "not carried"),
    "cleared by hand": (LOSS + "loss.backward()\nopt.step()\nfor p in net.parameters():\n    p.grad = None", "", "not carried"),
    "cleared by hand, in place": (LOSS + "loss.backward()\nopt.step()\nfor p in net.parameters():\n    p.grad.zero_()", "", "not carried"),
    "cleared on one path": ("if a:\n    opt.zero_grad()\n" + LOSS + "loss.backward()\nopt.step()", "", "not carried"),
    "cleared by what is not seen": (LOSS + "loss.backward()\nopt.step()\nreset(opt)", "", "not carried"),
    "another model cleared": ("g.zero_grad()\n" + LOSS + "loss.backward()\nopt.step()", "g = nn.ReLU()\n", "carried"),
    "another optimizer cleared": ("o.zero_grad()\n" + LOSS + "loss.backward()\nopt.step()", "o = torch.optim.SGD(nn.ReLU())\n", "carried"),
    "accumulated": (LOSS + "loss.backward()\nif i % 4 == 0:\n    opt.step()\n    opt.zero_grad()", "", "not carried"),
    "accumulated, not cleared": (LOSS + "loss.backward()\nif i % 4 == 0:\n    opt.step()", "", "not carried"),
    "accumulated by continue": (LOSS + "loss.backward()\nif i % 4:\n    continue\nopt.step()\nopt.zero_grad()", "", "not carried"),
    "both under one condition": ("if train:\n    " + LOSS + "    loss.backward()\n    opt.step()", "", "carried"),
    "step in both branches": (LOSS + "loss.backward()\nif a:\n    opt.step()\nelse:\n    opt.step()", "", "carried"),
    "mixed precision": (
        "opt.zero_grad()\n" + LOSS + "scaler.scale(loss).backward()\nscaler.step(opt)\nscaler.update()",
        "scaler = torch.amp.GradScaler()\n",
        "not carried",
    ),
    "mixed precision, not cleared": (
        LOSS + "scaler.scale(loss).backward()\nscaler.unscale_(opt)\nscaler.step(opt)\nscaler.update()",
        "scaler = torch.amp.GradScaler()\n",
        "carried",
    ),
    "closure that clears": (EVALUATE.replace("    loss =", "    opt.zero_grad()\n    loss =", 1) + "opt.step(closure)", "", "not carried"),
    "closure that does not": (EVALUATE + "opt.step(closure)", "", "carried"),
    "helper": ("train(x, y)", TRAIN, "carried"),
    "helper that clears": ("train(x, y)", TRAIN + "    opt.zero_grad()\n", "not carried"),
    "helper that is given the optimizer": (
        "update(opt)\n",
        "def update(o):\n    o.zero_grad()\n    run().backward()\n    o.step()\n",
        "not carried",
    ),
    "helper of a helper": ("run(x, y)", TRAIN + "def run(x, y):\n    train(x, y)\n", "carried"),
    "helper in a condition, outside it": (
        LOSS + "loss.backward()\nif i % 4:\n    finish()",
        "def finish():\n    opt.step()\n",
        "not carried",
    ),
    "hook that may clear": (LOSS + "loss.backward()\nopt.step()", "opt.register_step_post_hook(f)\n", "not carried"),
    "step before backward": ("opt.step()\n" + LOSS + "loss.backward()", "", "not carried"),
}


@pytest.mark.parametrize(("body", "above", "expected"), LOOPS.values(), ids=LOOPS)
def test_loop_tells_whether_gradients_are_carried_into_a_step(body: str, above: str, expected: str) -> None:
    assert verdict(training(body, above=above)) == expected


NO_LOOPS = {
    "no step": LOSS + "loss.backward()",
    "no backward": "opt.zero_grad()\nopt.step()",
    "schedule alone": LOSS + "loss.backward()\nscheduler = torch.optim.lr_scheduler.StepLR(opt, 1)\nscheduler.step()",
    "step of an environment": LOSS + "loss.backward()\nenv.step(x)",
    "function that nobody calls": "def f():\n    " + LOSS + "    loss.backward()\n    opt.step()",
}


@pytest.mark.parametrize("body", NO_LOOPS.values(), ids=NO_LOOPS)
def test_loop_without_backward_and_step_does_not_train(body: str) -> None:
    assert [loop for loop in loops(training(body)) if loop.steps] == []


def test_step_belongs_to_the_innermost_loop() -> None:
    file = model(SETUP + "for epoch in range(2):\n    for x, y in z:\n        F.mse_loss(net(x), y).backward()\n        opt.step()\n")

    assert [len(loop.steps) for loop in loops(file)] == [0, 1]


def test_while_loops_train_too() -> None:
    assert verdict(training(LOSS + "loss.backward()\nopt.step()", loop="while True:")) == "carried"


def test_each_optimizer_has_a_step_of_its_own_and_its_own_backward() -> None:
    code = """
        g, d = nn.Linear(2, 2), nn.Linear(2, 1)
        og, od = torch.optim.SGD(g.parameters()), torch.optim.SGD(d.parameters())
        for x in loader:
            od.zero_grad()
            loss_d = d(x).mean() - d(g(x).detach()).mean()
            loss_d.backward()
            od.step()
            loss_g = d(g(x)).mean()
            loss_g.backward()
            og.step()
    """
    file = model(code)
    loop = the_loop(file)
    first, second = loop.steps

    (found,) = carried(loop)
    assert (row(file, first), row(file, second)) == (8, 11)
    assert (row(file, found.step), [row(file, each) for each in found.backwards]) == (11, [10])


def test_step_taken_in_two_branches_is_one_step() -> None:
    assert len(the_loop(training(LOSS + "loss.backward()\nif a:\n    opt.step()\nelse:\n    opt.step()")).steps) == 1


def test_optimizer_made_in_the_loop_is_known_to_be() -> None:
    loop = the_loop(training("o = torch.optim.SGD(net.parameters())\n" + LOSS + "loss.backward()\no.step()"))

    assert loop.makes(loop.steps[0])
    loop = the_loop(training(LOSS + "loss.backward()\nopt.step()"))
    assert not loop.makes(loop.steps[0])


REPEATS = {
    "batches": ("for x, y in loader:", True),
    "endless": ("while True:", True),
    "one": ("for _ in range(1):", False),
    "first": ("for x, y in itertools.islice(loader, 1):", False),
    "named cases": ("for size in (1, 2):", False),
    "named cases, counted": ("for i, size in enumerate([1, 2]):", False),
    "numbered": ("for _ in range(3):", True),
}


@pytest.mark.parametrize(("head", "expected"), REPEATS.values(), ids=REPEATS)
def test_loop_repeats_unless_it_is_over_cases(head: str, expected: bool) -> None:
    assert the_loop(training(LOSS + "loss.backward()\nopt.step()", loop=head)).repeats is expected


def test_loop_that_always_leaves_does_not_repeat() -> None:
    assert not the_loop(training(LOSS + "loss.backward()\nopt.step()\nbreak")).repeats
    assert the_loop(training(LOSS + "loss.backward()\nopt.step()\nif a:\n    break")).repeats


# -- what is kept --------------------------------------------------------------------------------------------------------

KEPT = LOSS + "loss.backward()\nopt.step()\n"
TOTALS = {
    "added": (KEPT + "total += loss", ["loss"]),
    "added, long form": (KEPT + "total = total + loss", ["loss"]),
    "added, other way round": (KEPT + "total = loss + total", ["loss"]),
    "subtracted": (KEPT + "total -= loss", ["loss"]),
    "moving average": (KEPT + "total = 0.9 * total + 0.1 * loss", ["0.1 * loss"]),
    "attribute": (KEPT + "self.total += loss", ["loss"]),
    "key": (KEPT + "stats['loss'] += loss", ["loss"]),
    "started afresh": (KEPT + "total = 0\ntotal += loss", []),
    "started afresh now and then": (KEPT + "if a:\n    total = 0\ntotal += loss", ["loss"]),
    "counter": (KEPT + "total += 1", []),
    "loop variable": (KEPT + "x += loss", []),
    "replaced": (KEPT + "total = loss", []),
    "through a call": (KEPT + "total = f(total) + loss", []),
}
STORES = {
    "append": (KEPT + "losses.append(loss)", ["loss"]),
    "insert": (KEPT + "losses.insert(0, loss)", ["loss"]),
    "several": (KEPT + "losses.append((loss, 1, loss * 2, x))", ["loss", "loss * 2"]),
    "dict of lists": (KEPT + "stats['loss'].append(loss)", ["loss"]),
    "setdefault": (KEPT + "stats.setdefault('loss', []).append(loss)", ["loss"]),
    "own key": (KEPT + "stats[x] = loss", ["loss"]),
    "same key": (KEPT + "stats['loss'] = loss", []),
    "list added": (KEPT + "losses += [loss]", ["loss"]),
    "list added, long form": (KEPT + "losses = losses + [loss]", ["loss"]),
    "comprehension": (KEPT + "losses = [net(a) for a in x]", ["net(a)"]),
    "made in the loop": (KEPT + "losses = []\nlosses.append(loss)", []),
    "emptied in the loop": (KEPT + "losses.append(loss)\nlosses.clear()", []),
    "text": (KEPT + "losses.append('a')", []),
}


@pytest.mark.parametrize(("body", "expected"), TOTALS.values(), ids=TOTALS)
def test_total_that_outlives_the_iteration_is_found(body: str, expected: list[str]) -> None:
    file = training(body, above="total = 0\n")

    assert [file.source(each.value) for each in accumulations(file)] == expected


@pytest.mark.parametrize(("body", "expected"), STORES.values(), ids=STORES)
def test_container_that_outlives_the_iteration_is_found(body: str, expected: list[str]) -> None:
    file = training(body, above="losses, stats = [], {}\n")

    assert [file.source(each.value) for each in stores(file)] == expected


def test_kept_value_knows_its_loop_and_whether_backward_has_used_it() -> None:
    file = training(KEPT + "total += loss\nother += F.mse_loss(net(x), y)", above="total = 0\nother = 0\n")
    spent, unspent = accumulations(file)

    assert (spent.loop, unspent.loop) == (file.nodes(cst.For)[0],) * 2
    assert (spent.is_spent, unspent.is_spent) == (True, False)


def test_retained_graph_is_not_spent() -> None:
    (total,) = accumulations(training(LOSS + "loss.backward(retain_graph=True)\ntotal += loss", above="total = 0\n"))

    assert not total.is_spent


def test_total_that_is_differentiated_itself_is_told_apart() -> None:
    (meant,) = accumulations(model(SETUP + "total = 0\nfor x in y:\n    total += net(x).sum()\ntotal.backward()\n"))
    (kept,) = accumulations(model(SETUP + "total = 0\nfor x in y:\n    total += net(x).sum()\nprint(total)\n"))

    assert (meant.is_differentiated, kept.is_differentiated) == (True, False)


def test_loop_that_the_total_outlives_is_the_innermost_one_without_a_new_start() -> None:
    file = model(SETUP + "for a in b:\n    total = 0\n    for x in y:\n        total += net(x).sum()\n")
    (total,) = accumulations(file)

    assert total.loop is file.nodes(cst.For)[1]


def test_window_bounds_what_is_kept() -> None:
    (total,) = accumulations(training(KEPT + "total += loss\nif a:\n    total = 0", above="total = 0\n"))

    assert total.is_windowed


# -- waits ---------------------------------------------------------------------------------------------------------------

MOVED = "x, y = x.cuda(), y.cuda()\n" + LOSS + "loss.backward()\nopt.step()\n"
WAITS = {
    "item": (MOVED + "total += loss.item()", ["loss.item()"]),
    "float": (MOVED + "total += float(loss)", ["float(loss)"]),
    "print": (MOVED + "print(loss)", ["loss"]),
    "branch": (MOVED + "if loss > 1:\n    x = 1", ["loss > 1"]),
    "now and then": (MOVED + "if i % 10 == 0:\n    print(loss.item())", []),
    "collected": (MOVED + "losses.append(loss.item())", []),
    "on the CPU": (LOSS + "loss.backward()\nopt.step()\ntotal += loss.item()", []),
    "twice in a statement": (MOVED + "total += loss.item() + loss.item()", ["loss.item()"]),
}


def waits(file: FileAnalysis) -> list[Wait]:
    return [wait for stall in stalls(file) for wait in stall.waits]


@pytest.mark.parametrize(("body", "expected"), WAITS.values(), ids=WAITS)
def test_wait_in_every_iteration_is_found(body: str, expected: list[str]) -> None:
    above = "net.cuda()\n" if "cuda" in body else ""
    file = training(body, above=above + "total = 0\n")

    assert [file.source(each.node) for each in waits(file)] == expected


def test_total_that_a_wait_feeds_is_known_where_it_may_stay_on_the_device() -> None:
    (wait,) = waits(training(MOVED + "total += loss.item()", above="net.cuda()\ntotal = 0.0\n"))
    (read,) = waits(training(MOVED + "total += loss.item()\nshow(total)", above="net.cuda()\ntotal = 0.0\n"))

    assert wait.total is not None and not wait.total.is_count
    assert read.total is None

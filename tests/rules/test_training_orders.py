"""What the rules of training share: courses of gradients, scalers, schedules, optimizers, and modes."""

import libcst as cst
import pytest
from probing import model, probed

from torchlint.model.evaluation import evaluations
from torchlint.model.training import calls, loops
from torchlint.rules.training._accumulation import undivided
from torchlint.rules.training._modes import depends_on_mode, is_in_train_mode, left_in_eval, loading, mode_is_never_set
from torchlint.rules.training._optimizers import built, freezing, new_part, replacements
from torchlint.rules.training._orders import courses, runs_backward_elsewhere
from torchlint.rules.training._rebuilding import rebuilt
from torchlint.rules.training._scaling import clipped_while_scaled, is_updated, scaled_steps
from torchlint.rules.training._schedules import early
from torchlint.rules.training._unstepped import trains_without_step
from torchlint.values.events import Happens

SETUP = "net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters(), lr=1)\nscaler = torch.amp.GradScaler()\n"
LOSS = "F.mse_loss(net(x), y)"


def loop(*rows: str, above: str = "") -> str:
    return SETUP + above + "for x, y in loader:\n" + "".join(f"    {row}\n" for row in rows)


def test_loops_and_functions_that_step_outside_of_loops_have_a_course_for_each_optimizer() -> None:
    step = f"def step(x, y):\n    {LOSS}.backward()\n    opt.step()\n"
    file = model(SETUP + step + "for x, y in loader:\n    step(x, y)\n")

    assert [type(each.training.node) for each in courses(file)] == [cst.For, cst.FunctionDef]
    assert [each.training.repeats for each in courses(file)] == [True, False]


def test_function_whose_steps_are_in_loops_has_no_course_of_its_own() -> None:
    assert calls(model(loop(f"{LOSS}.backward()", "opt.step()"))) == []


ELSEWHERE = {
    "only here": ([f"{LOSS}.backward()", "opt.step()"], False),
    "in a loop inside": ([f"for z in x: {LOSS}.backward()", f"{LOSS}.backward()", "opt.step()"], True),
    "in a call that says so": ([f"{LOSS}.backward()", "engine.run_backward(net)", "opt.step()"], True),
    "written by hand": ([f"{LOSS}.backward()", "for p in net.parameters(): p.grad = f(p)", "opt.step()"], True),
    "cleared by hand": ([f"{LOSS}.backward()", "opt.step()", "for p in net.parameters(): p.grad = None"], False),
}


@pytest.mark.parametrize(("rows", "expected"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_gradients_may_come_from_elsewhere(rows: list[str], expected: bool) -> None:
    (course,) = courses(model(loop(*rows)))

    assert runs_backward_elsewhere(course.training) is expected


SCALED = {
    "clipped": ([f"scaler.scale({LOSS}).backward()", "CLIP", "scaler.step(opt)"], 1),
    "unscaled first": ([f"scaler.scale({LOSS}).backward()", "scaler.unscale_(opt)", "CLIP", "scaler.step(opt)"], 0),
    "no scaler": ([f"{LOSS}.backward()", "CLIP", "opt.step()"], 0),
    "a scaled limit": ([f"scaler.scale({LOSS}).backward()", "CLIP", "scaler.step(opt)"], 0),
}


@pytest.mark.parametrize("title", SCALED)
def test_clipping_of_scaled_gradients_is_told_from_others(title: str) -> None:
    rows, expected = SCALED[title]
    limit = "scaler.get_scale()" if "limit" in title else "1.0"
    clip = f"nn.utils.clip_grad_norm_(net.parameters(), {limit})"
    (course,) = courses(model(loop(*(row.replace("CLIP", clip) for row in rows))))

    assert len(list(clipped_while_scaled(course))) == expected


def test_steps_on_scaled_gradients_and_updates_are_found() -> None:
    file = model(loop(f"scaler.scale({LOSS}).backward()", "opt.step()"))
    (course,) = courses(file)

    assert len(scaled_steps(course)) == 1
    assert not is_updated(file)
    assert is_updated(model(loop("scaler.update()")))
    assert not is_updated(model("stats = {}\nstats.update(a=1)\n"))


SCHEDULE = "sched = torch.optim.lr_scheduler.StepLR(opt, 1)\n"
SCHEDULES = {
    "before": (["sched.step()", f"{LOSS}.backward()", "opt.step()"], 1),
    "after": ([f"{LOSS}.backward()", "opt.step()", "sched.step()"], 0),
    "told": (["sched.step(1)", f"{LOSS}.backward()", "opt.step()"], 0),
    "counted": (["if i % 2: sched.step()", f"{LOSS}.backward()", "opt.step()"], 0),
}


@pytest.mark.parametrize(("rows", "expected"), SCHEDULES.values(), ids=SCHEDULES)
def test_schedules_that_come_first_are_found(rows: list[str], expected: int) -> None:
    assert len(list(early(model(loop(*rows, above=SCHEDULE))))) == expected


def test_optimizer_says_what_it_is_made_of_and_who_gets_it() -> None:
    code = "def f(loader):\n    net = nn.Linear(2, 2)\n    opt = torch.optim.SGD(net.parameters(), lr=1, momentum=M)\n    TAIL\n"
    (kept,) = built(model(code.replace("M)", "0.9)").replace("TAIL", "opt.zero_grad()")))
    (plain,) = built(model(code.replace("M)", "0)").replace("TAIL", "return opt")))

    assert [len(each.modules) for each in (kept, plain)] == [1, 1]
    assert [each.keeps_state for each in (kept, plain)] == [True, False]
    assert [each.is_handed_on() for each in (kept, plain)] == [False, True]
    assert plain.is_used_after(plain.call)


FREEZING = {
    "all": ("for p in net.parameters(): p.requires_grad = False", True),
    "at once": ("net.requires_grad_(False)", True),
    "thawed": ("net.requires_grad_(False); net.requires_grad_(True)", False),
    "given a new part": ("net.requires_grad_(False); net.a = nn.Linear(2, 2)", False),
    "under a condition": ("if a: net.requires_grad_(False)", False),
}


@pytest.mark.parametrize(("row", "expected"), FREEZING.values(), ids=FREEZING)
def test_freezing_counts_where_nothing_thaws(row: str, expected: bool) -> None:
    (made,) = built(model(f"net = nn.Linear(2, 2)\n{row}\nopt = torch.optim.SGD(net.parameters())\n"))

    assert (freezing(made, made.modules[0]) is not None) is expected


PARTS = {
    "layer": ("nn.Linear(2, 2)", True),
    "dropout": ("nn.Dropout()", False),
    "sequence": ("nn.Sequential(nn.ReLU(), nn.Linear(2, 2))", True),
    "sequence without weights": ("nn.Sequential(nn.ReLU())", False),
    "parameter": ("nn.Parameter(torch.ones(2))", True),
    "unknown": ("build()", False),
}


@pytest.mark.parametrize(("part", "expected"), PARTS.values(), ids=PARTS)
def test_new_parts_have_weights_or_not(part: str, expected: bool) -> None:
    file = model(f"net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters())\nnet.part[0] = {part}\n")
    (made,) = built(file)
    (replaced,) = replacements(file, file.module, made.modules[0])

    assert (new_part(file, replaced) is not None) is expected


def test_what_a_loop_makes_anew_is_found() -> None:
    def found(row: str) -> int:
        (training,) = loops(model(loop(row, f"{LOSS}.backward()", "o.step()", "opt.step()")))
        return len(list(rebuilt(training)))

    assert found("o = torch.optim.Adam(net.parameters())") == 1
    assert found("o = torch.optim.SGD(net.parameters(), lr=1)") == 0
    assert found("if i % 3: o = torch.optim.Adam(net.parameters())") == 0
    assert found("m = nn.Linear(2, 2); o = torch.optim.Adam(m.parameters())") == 0


def test_optimizer_that_only_clears_is_found() -> None:
    def found(*rows: str) -> bool:
        (made,) = built(model(loop(*rows)))
        return trains_without_step(made) is not None

    assert found("opt.zero_grad()", f"{LOSS}.backward()")
    assert not found("opt.zero_grad()", f"{LOSS}.backward()", "opt.step()")
    assert not found("opt.zero_grad()", f"{LOSS}.backward()", "print(net.weight.grad)")
    assert not found("opt.zero_grad()", "g(x).backward()")


MODES = {
    "dropout": ("nn.Dropout()", True),
    "normalisation": ("nn.BatchNorm2d(3)", True),
    "linear": ("nn.Linear(2, 2)", False),
    "sequence": ("nn.Sequential(nn.Linear(2, 2), nn.Dropout())", True),
    "plain sequence": ("nn.Sequential(nn.Linear(2, 2), nn.ReLU())", False),
    "may have dropout": ("nn.LSTM(2, 2, dropout=0.1)", None),
    "torchvision": ("torchvision.models.resnet18()", True),
    "project": ("A()", True),
    "unknown": ("build()", None),
}


@pytest.mark.parametrize(("made", "expected"), MODES.values(), ids=MODES)
def test_modules_depend_on_their_mode_or_not(made: str, expected: bool | None) -> None:
    own = "import torchvision\nclass A(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.d = nn.Dropout()\n"
    file = model(f"{own}probe = {made}\n")

    assert depends_on_mode(file.value(probed(file))) is expected


PREDICT = (
    "def f(x):\n    net = nn.Sequential(nn.Dropout())\n    net.load_state_dict(g())\n    with torch.no_grad(): print(net(x).argmax())\n"
)


def test_loaded_model_that_nobody_switches_is_known() -> None:
    (found,) = evaluations(model(PREDICT))
    (switched,) = evaluations(model(PREDICT.replace("    with", "    net.train()\n    with")))

    assert loading(found) is not None
    assert (mode_is_never_set(found.file), mode_is_never_set(switched.file)) == (True, False)
    assert (is_in_train_mode(found), is_in_train_mode(switched)) == (False, True)


def test_switch_behind_a_training_step_leaves_the_loop_in_eval_mode() -> None:
    def found(*rows: str) -> list[Happens]:
        code = loop(*rows).replace("nn.Linear(2, 2)", "nn.Sequential(nn.Linear(2, 2), nn.Dropout())")
        return [each.what for training in loops(model(code)) for each in left_in_eval(training)]

    assert found(f"{LOSS}.backward()", "opt.step()", "net.eval()") == [Happens.EVAL]
    assert found("net.train()", f"{LOSS}.backward()", "opt.step()", "net.eval()") == []
    assert found("net.eval()", f"{LOSS}.backward()", "opt.step()") == []
    assert found("net.eval()", f"{LOSS}.backward()", "opt.step()", "prepare(net)", "net.eval()") == []


WINDOWS = {
    "undivided": ([f"loss = {LOSS}", "loss.backward()"], 1),
    "divided": ([f"loss = {LOSS} / 4", "loss.backward()"], 0),
    "a sum": (["loss = F.mse_loss(net(x), y, reduction='sum')", "loss.backward()"], 0),
    "unknown": (["loss = criterion(net(x), y)", "loss.backward()"], 0),
    "twice": ([f"loss = {LOSS}", "loss.backward()", f"{LOSS}.backward()"], 0),
}


@pytest.mark.parametrize(("rows", "expected"), WINDOWS.values(), ids=WINDOWS)
def test_windows_of_undivided_means_are_found(rows: list[str], expected: int) -> None:
    code = loop(*rows, "if i % 4 == 0:", "    opt.step()", "    opt.zero_grad()")

    assert [each.length.value for each in undivided(model(code)) if isinstance(each.length, cst.Integer)] == ["4"] * expected

"""Programs of a user's own run before and after their fixes: unmodified, recorded to the end, and judged honestly."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from commands import Torchlint

pytest.importorskip("torch")

from torchlint import engine
from torchlint.edits import Applicability
from torchlint.sanity.own import report, signals
from torchlint.sanity.own.decide import Outcome, Trial, Verdict, decide
from torchlint.sanity.own.judge import State
from torchlint.sanity.own.launch import Program, launch
from torchlint.sanity.own.record import Record
from torchlint.sanity.own.texts import Fixer, Sources
from torchlint.settings import Configuration

HEADER = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "train.py") -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((HEADER if name == "train.py" else "") + textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def recorded(text: str = "", *arguments: str, steps: int = 5, module: str = "", time_limit: float = 60, **options: Any) -> Record:
    if text:
        write(text)
    program = Program(module or "train.py", arguments, module=bool(module))
    return launch(program, steps=steps, time_limit=time_limit, **options)


def judged(
    text: str = "", *, unsafe: bool = False, fixer: Fixer | None = None, steps: int = 6, time_limit: float = 60, further: float = 0
) -> Outcome:
    if text:
        write(text)
    level = Applicability.UNSAFE if unsafe else Applicability.SAFE
    sources = Sources(Configuration(isolated=True), Path.cwd(), level, **({"fixer": fixer} if fixer else {}))
    return decide(Trial(Program("train.py"), sources, steps, time_limit, further=further))


def replacing(*pairs: tuple[str, str]) -> Fixer:
    """The real fixer, whose text is then spoilt."""

    def fix(text: str, settings: Any, path: str, project: Any, level: Applicability, known: frozenset[str]) -> str:
        fixed = engine.fix(text, settings, path=path, project=project, applicability=level, known=known).text
        assert fixed != text
        for old, new in pairs:
            assert old in fixed
            fixed = fixed.replace(old, new)
        return fixed

    return fix


TRAINING = """
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(30):
        x, y = torch.randn(8, 4), torch.randn(8, 1)
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
"""


# -- the program runs as it would by itself ------------------------------------------------------------------------------


def test_a_program_sees_its_arguments_its_folder_and_no_trace_of_a_parent() -> None:
    write(
        """
        import argparse, multiprocessing, sys
        parser = argparse.ArgumentParser()
        parser.add_argument("--name")
        name = parser.parse_args().name
        multiprocessing.set_start_method("spawn")
        seen = [__name__, __file__, __package__, sys.argv, sys.path[0], sys.modules["__main__"].name]
        print([*seen, multiprocessing.current_process().name])
        """,
        "folder/train.py",
    )
    found = launch(Program("folder/train.py", ("--name", "x y")), steps=1, time_limit=60)
    here = Path.cwd()
    assert (found.how, found.status) == ("finished", 0)
    assert found.output.strip() == repr(
        [
            *("__main__", str(here / "folder/train.py"), None, ["folder/train.py", "--name", "x y"]),
            *(str(here / "folder"), "x y", "MainProcess"),
        ]
    )


def test_a_module_is_run_with_its_package_and_its_relative_imports() -> None:
    write("", "package/__init__.py")
    write("from . import data\nimport sys\nprint(__name__, __package__, sys.argv, data.NAME)\n", "package/train.py")
    write("NAME = __name__\n", "package/data.py")
    found = recorded(module="package.train")
    here = Path.cwd() / "package"
    assert found.output.strip() == f"__main__ package {[str(here / 'train.py')]!r} package.data"
    assert found.files == tuple(str(here / name) for name in ("__init__.py", "train.py", "data.py"))


def test_a_module_that_is_not_there_is_said_so() -> None:
    found = recorded(module="nowhere.train")
    assert (found.how, found.trace) == ("not found", "No module named nowhere.train")


def test_a_program_is_stopped_after_its_steps_and_says_what_it_printed() -> None:
    heard: list[str] = []
    found = recorded(TRAINING + "        print('step')\n", steps=3, echo=heard.append)
    assert (found.how, found.steps, found.optimizers) == ("stopped", 3, 1)
    assert "".join(heard) == found.output == "step\nstep\n"


def test_two_runs_draw_the_same_numbers_and_a_shorter_program_ends_by_itself() -> None:
    text = "import random, numpy\nprint(random.random(), numpy.random.rand(), hash('a'))\n" + textwrap.dedent(TRAINING)
    first, second = recorded(text, steps=100), recorded(text, steps=100)
    assert (first.how, first.status, first.steps) == ("finished", 0, 30)
    assert first.output == second.output != ""
    assert first.events == second.events


def test_text_comes_from_memory_and_leaves_nothing_in_the_folder() -> None:
    write("VALUE = 1\n", "other.py")
    write("import inspect, other\nprint(other.VALUE, inspect.getsource(other.told).strip())\n")
    text = "VALUE = 2\ndef told():\n    return VALUE\n"
    found = recorded(texts={str(Path("other.py").absolute()): text})
    assert found.output.strip() == "2 def told():\n    return VALUE"
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["other.py", "train.py"]


def test_a_crash_is_told_with_the_traceback_that_the_program_would_show() -> None:
    found = recorded(TRAINING + "        if _ == 2:\n            raise ValueError('too much')\n", steps=9)
    assert (found.how, found.status, found.steps) == ("crashed", 1, 3)
    assert found.trace == found.output
    assert found.trace.startswith(f'Traceback (most recent call last):\n  File "{Path.cwd() / "train.py"}", line 14, in <module>\n')
    assert found.trace.endswith("ValueError: too much\n")


@pytest.mark.parametrize(
    ("ending", "how", "status", "said"),
    [
        ("raise SystemExit(3)", "finished", 3, ""),
        ("raise SystemExit('enough')", "finished", 1, "enough\n"),
        ("import os; os._exit(4)", "died", 4, ""),
        ("input()", "crashed", 1, "EOFError"),
    ],
)
def test_a_program_ends_as_it_ends(ending: str, how: str, status: int, said: str) -> None:
    found = recorded(ending)
    assert (found.how, found.status) == (how, status)
    assert said in found.output


def test_a_program_that_catches_everything_is_stopped_all_the_same() -> None:
    text = textwrap.indent(textwrap.dedent(TRAINING), "    ")
    found = recorded(f"while True:\n    try:\n{textwrap.indent(text, '    ')}\n    except BaseException:\n        pass\n", steps=2)
    assert (found.how, found.steps) == ("stopped", 2)


def test_what_was_recorded_survives_the_time_limit() -> None:
    found = recorded(TRAINING + "        if _ == 3:\n            while True: pass\n", steps=20, time_limit=2)
    assert (found.how, found.steps) == ("timed out", 4)


def test_much_output_neither_blocks_the_program_nor_is_lost_at_its_end() -> None:
    found = recorded("for number in range(200_000):\n    print(number)\n")
    assert found.how == "finished"
    assert found.output.endswith("199998\n199999\n")


def test_workers_of_a_loader_are_no_hindrance() -> None:
    text = """
        from torch.utils.data import DataLoader, TensorDataset
        loader = DataLoader(TensorDataset(torch.randn(64, 4), torch.randn(64, 1)), batch_size=4, shuffle=True, num_workers=2)
        model = nn.Linear(4, 1)
        optimizer = torch.optim.Adam(model.parameters())
        for x, y in loader:
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
    """
    found = recorded(text, steps=4)
    assert (found.how, found.steps, found.processes) == ("stopped", 4, 0)


def test_where_nothing_steps_backwards_are_counted_and_compared() -> None:
    text = """
        weight = torch.zeros(4, 1, requires_grad=True)
        for _ in range(30):
            loss = F.mse_loss(torch.randn(8, 4) @ weight, torch.randn(8, 1))
            loss.backward()
            with torch.no_grad():
                weight -= 0.1 * weight.grad
                weight.grad = None
    """
    found = recorded(text, steps=4)
    assert (found.how, found.steps, found.optimizers) == ("stopped", 4, 0)
    assert [sorted(event["gradients"]) for event in found.timeline.values()] == [["tensor [4, 1]"]] * 4
    assert len({event["parameters"]["tensor [4, 1]"] for event in found.timeline.values()}) == 4


def test_parameters_are_called_by_their_module() -> None:
    (*_, last) = recorded(TRAINING).timeline.values()
    assert sorted(last["parameters"]) == [f"Sequential.{layer}.{kind}" for layer in (0, 2) for kind in ("bias", "weight")]
    assert last["gradients"].keys() == last["parameters"].keys()


# -- before and after the fixes ------------------------------------------------------------------------------------------

TOTAL = """
    def train(model, optimizer):
        total = 0
        for _ in range(30):
            x, y = torch.randn(8, 4), torch.randn(8, 1)
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss
        print(f"{total / 30:.3f}")

    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    train(model, torch.optim.SGD(model.parameters(), lr=0.1))
"""
UNCLEARED = TOTAL.replace("            optimizer.zero_grad()\n", "").replace("total += loss", "total += loss.item()")
UNREGISTERED = """
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(4, 8)
            self.layers = [nn.Linear(8, 8), nn.Linear(8, 1)]

        def forward(self, x):
            x = self.first(x)
            for layer in self.layers:
                x = layer(x)
            return x

    model = Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(30):
        optimizer.zero_grad()
        loss = F.mse_loss(model(torch.randn(8, 4)), torch.randn(8, 1))
        loss.backward()
        optimizer.step()
"""


def states(outcome: Outcome) -> list[tuple[str, str]]:
    return [(each.found.diagnostic.code, each.state.value) for each in outcome.findings]


def blamed(outcome: Outcome) -> list[str]:
    return [each.diagnostic.code for each in outcome.blamed]


def test_a_fix_that_keeps_the_program_is_found_identical_and_its_finding_confirmed() -> None:
    found = judged(TOTAL)
    assert (found.verdict, found.reason, found.runs) == (Verdict.IDENTICAL, "", 2)
    assert ("TL102", "confirmed") in states(found)
    assert found.fixed is not None
    assert found.fixed.steps == 6
    assert signals.signals(found.fixed) == []


@pytest.mark.parametrize(("text", "code", "what", "step"), [(UNCLEARED, "TL201", "gradients", 2), (UNREGISTERED, "TL301", "gradients", 1)])
def test_a_repair_changes_the_program_as_intended(text: str, code: str, what: str, step: int) -> None:
    found = judged(text)
    assert (found.verdict, found.reason) == (Verdict.INTENDED, "")
    assert found.difference is not None
    assert found.difference.key is not None
    assert (found.difference.what, found.difference.key.number) == (what, step)
    assert (code, "confirmed") in states(found)


@pytest.mark.parametrize(
    ("text", "wrong", "what"),
    [
        (TOTAL, ("total = 0", "total = 0; model.requires_grad_(False); model[0].requires_grad_()"), "gradients"),
        (TOTAL, ("nn.Dropout(0.5), ", ""), "random numbers"),
        (TOTAL, ("import torch\n", "import torch\ntorch.manual_seed(1)\n"), "random numbers"),
        (TOTAL, ("lr=0.1", "lr=0.2"), "parameters"),
        (TOTAL, ("loss.backward()", "(2 * loss).backward()"), "loss"),
        (TOTAL, ("range(30)", "range(5)"), "steps"),
        (TOTAL, ("total = 0\n", "total = None\n"), "steps"),
    ],
)
def test_a_wrong_fix_that_should_keep_the_program_is_found_out(text: str, wrong: tuple[str, str], what: str) -> None:
    found = judged(text, fixer=replacing(wrong))
    assert (found.verdict, blamed(found)) == (Verdict.UNEXPECTED, ["TL102"])
    assert found.difference is not None
    assert found.difference.what == what


CLEARED = "optimizer.zero_grad()"


@pytest.mark.parametrize(
    ("text", "wrong", "reason"),
    [
        (UNCLEARED, [(CLEARED, ""), ("loss.backward()", f"loss.backward(); {CLEARED}")], "gets no gradient any more"),
        (UNCLEARED, [(CLEARED, ""), ("loss.backward()", "loss.backward(); optimizer.zero_grad(False)")], "all gradients are zero"),
        (UNCLEARED, [(CLEARED, "model.requires_grad_(False); model[0].requires_grad_()")], "gets no gradient any more"),
        (UNCLEARED, [(CLEARED, "del optimizer.param_groups[0]['params'][-1:]")], "is no longer among what is trained"),
        (UNCLEARED, [(CLEARED, "optimizer.param_groups[0]['lr'] = 0.0")], "nothing is trained any more"),
        (UNCLEARED, [(CLEARED, "optimizer.param_groups[0]['lr'] = 0.2")], "changes step 1 already"),
        (UNCLEARED, [("import torch\n", "import torch\ntorch.manual_seed(5)\n")], "draws other random numbers"),
        (UNCLEARED, [(CLEARED, "_ < 2 or optimizer.clear()")], "the program crashes"),
        (UNCLEARED, [(CLEARED, "_ != 3 or optimizer.zero_grad()")], "what it is to mend is still there"),
        (UNREGISTERED, [("nn.Linear(8, 8), ", "")], "draws other random numbers"),
        (UNREGISTERED, [("self.first(x)", "self.first(x).detach()")], "gets no gradient any more"),
    ],
)
def test_a_wrong_fix_that_should_repair_the_program_is_found_out(text: str, wrong: list[tuple[str, str]], reason: str) -> None:
    found = judged(text, fixer=replacing(*wrong))
    assert found.verdict is Verdict.UNEXPECTED
    assert reason in found.reason


def test_of_several_fixes_the_one_that_makes_the_difference_is_named() -> None:
    def fix(text: str, settings: Any, path: str, project: Any, level: Applicability, known: frozenset[str]) -> str:
        fixed = engine.fix(text, settings, path=path, project=project, applicability=level, known=known).text
        return fixed if "TL102" in settings.unfixable else fixed.replace("0.1", "0.2")

    found = judged(TOTAL + OLD, fixer=fix)
    assert len({each.found.diagnostic.code for each in found.findings if each.found.is_fixed_at(Applicability.SAFE)}) > 1
    assert (found.verdict, blamed(found)) == (Verdict.UNEXPECTED, ["TL102"])


def test_of_several_fixes_of_one_rule_the_one_that_makes_the_difference_is_named() -> None:
    twice = TOTAL + TOTAL.replace("def train", "def again").replace("    train(", "    again(").replace("total", "sum_of_losses")

    def fix(text: str, settings: Any, path: str, project: Any, level: Applicability, known: frozenset[str]) -> str:
        fixed = engine.fix(text, settings, path=path, project=project, applicability=level, known=known).text
        return fixed.replace("sum_of_losses += loss.detach()", "sum_of_losses += loss.detach(); torch.rand(1)")

    found = judged(twice, fixer=fix, steps=40)
    assert found.verdict is Verdict.UNEXPECTED
    assert [(each.diagnostic.code, each.row) for each in found.blamed] == [("TL102", 27)]


def test_what_one_repair_may_change_is_no_licence_for_another() -> None:
    text = UNREGISTERED.replace("        optimizer.zero_grad()\n", "")

    def fix(text: str, settings: Any, path: str, project: Any, level: Applicability, known: frozenset[str]) -> str:
        fixed = engine.fix(text, settings, path=path, project=project, applicability=level, known=known).text
        return fixed.replace("optimizer.zero_grad()", "optimizer.zero_grad(); optimizer.param_groups[0]['lr'] = 0.2")

    found = judged(text, fixer=fix)
    assert {each.found.diagnostic.code for each in found.findings} >= {"TL201", "TL301"}
    assert (found.verdict, blamed(found)) == (Verdict.UNEXPECTED, ["TL201"])
    assert found.reason == "it changes step 1 already, which has nothing to mend yet"
    assert judged().verdict is Verdict.INTENDED


def test_a_fix_that_rounds_otherwise_is_identical_within_what_its_rule_allows() -> None:
    text = TRAINING.replace("F.mse_loss(model(x), y)", "-torch.log(torch.softmax(model(x), 1)).mean()").replace(
        "nn.Linear(8, 1)", "nn.Linear(8, 3)"
    )
    found = judged(text, unsafe=True)
    assert ("TL605", "not decided here") in states(found)
    assert (found.verdict, found.noise) == (Verdict.TOLERANCE, None)
    assert found.difference is None
    wrong = judged(unsafe=True, fixer=replacing(("log_softmax(model(x)", "log_softmax(1.001 * model(x)")))
    assert (wrong.verdict, blamed(wrong)) == (Verdict.UNEXPECTED, ["TL605"])


LATE = """
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    def evaluate():
        model.eval()
        total = 0
        for _ in range(5):
            total += F.mse_loss(model(torch.randn(8, 4)), torch.randn(8, 1))
        print(total / 5)
        model.train()
    for number in range(60):
        x, y = torch.randn(8, 4), torch.randn(8, 1)
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        optimizer.step()
        if number == 29:
            evaluate()
"""


def test_a_run_goes_on_until_every_finding_is_reached_and_then_the_fixed_one_takes_as_many_steps() -> None:
    found = judged(LATE, further=60)
    assert found.original is not None
    assert found.fixed is not None
    assert (found.verdict, found.unreached, found.original.steps, found.fixed.steps) == (Verdict.IDENTICAL, (), 31, 31)
    assert "  It went on past step 6 to reach more findings, and reached the last of them before step 31." in lines(found)
    assert judged().verdict is Verdict.NOT_REACHED


@pytest.mark.parametrize("end", ["print('over')", "raise SystemExit(3)"])
def test_a_program_that_ends_while_the_run_goes_on_is_compared_to_its_end(end: str) -> None:
    found = judged(LATE.replace("range(60)", "range(20)").replace("== 29", "< 0") + f"    {end}\n", further=60)
    assert found.original is not None
    assert found.fixed is not None
    assert (found.original.how, found.original.steps, found.original.further) == ("finished", 20, True)
    assert (found.fixed.how, found.fixed.steps, found.verdict) == ("finished", 20, Verdict.NOT_REACHED)


def test_a_run_does_not_go_on_for_ever() -> None:
    found = judged(LATE.replace("range(60)", "iter(int, 1)").replace("== 29", "< 0"), further=1)
    assert found.original is not None
    assert (found.verdict, found.original.how) == (Verdict.NOT_REACHED, "stopped")
    assert 6 < found.original.steps <= 600
    assert "  It went on past step 6 to reach more findings; 1 finding was not reached all the same." in lines(found)


@pytest.mark.parametrize(("kept", "size"), [("", 0), ("; kept.append(torch.zeros(1000) + 1)", 4000)])
def test_memory_that_steps_leave_behind_is_counted_to_the_byte(kept: str, size: int) -> None:
    found = recorded("    kept = []\n" + TRAINING.lstrip("\n").replace("optimizer.step()", f"optimizer.step(){kept}"), steps=16)
    assert [each["step"] for each in found.memory] == [2, 3, 6, 10, 14]
    assert [each["kept"] for each in found.memory] == [size] * 5
    assert len({each["peak"] for each in found.memory}) == 1
    # Batch, activations, gradients: more than the batch, and less than all of them four times over.
    assert (8 * 4 + 8) * 4 < found.memory[0]["peak"] - size < 4 * (8 * 4 + 4 * 8 * 8 + 4 * 49) * 4


def test_a_program_that_is_compiled_is_run_and_none_of_its_steps_is_watched() -> None:
    compiled = TOTAL.replace("    train(model,", "    model = torch.compile(model, backend='aot_eager')\n    train(model,")
    compiled += "    import torch._dynamo.utils as seen\n    print('frames', seen.counters['frames']['ok'] > 0)\n"
    found = judged(compiled, steps=40)
    assert (found.verdict, found.reason) == (Verdict.IDENTICAL, "")
    assert found.original is not None
    assert (found.original.steps, found.original.memory) == (30, ())
    assert "frames True" in found.original.output


def lines(outcome: Outcome) -> list[str]:
    return report.as_text(outcome, Program("train.py")).splitlines()


OLD = "    nn.functional.mse_loss(torch.zeros(1), torch.ones(1), size_average=False)\n"


def test_what_did_not_run_is_not_called_identical() -> None:
    found = judged(textwrap.dedent(TOTAL).replace("\ntrain(", "\nif False:\n    train(") + textwrap.dedent(TRAINING))
    assert (found.verdict, found.fixes, len(found.unreached)) == (Verdict.NOT_REACHED, 1, 1)
    assert ("TL102", "not reached") in states(found)


def test_a_program_without_findings_has_nothing_to_compare() -> None:
    found = judged(TRAINING)
    assert (found.verdict, found.runs, found.findings, found.unseen) == (Verdict.NOTHING, 1, (), ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("print('hello')", "train.py took no step of an optimizer and ran no backward: there is nothing to compare"),
        (TRAINING + "        raise ValueError\n", "the program crashes by itself after step 1"),
        ("import os\nos.abort()", "the program's process died, with status -6"),
        (
            """
            import torch.multiprocessing
            def train(rank):
                weight = nn.Parameter(torch.zeros(1))
                weight.backward()
                torch.optim.SGD([weight]).step()
            if __name__ == "__main__":
                torch.multiprocessing.spawn(train, nprocs=1)
            """,
            "train.py took no step itself, and started other processes: training in these is not supported",
        ),
    ],
)
def test_of_a_program_that_does_not_train_nothing_is_said(text: str, reason: str) -> None:
    found = judged(text)
    assert (found.verdict, found.reason) == (Verdict.FAILED, reason)


def test_a_program_that_takes_no_step_in_its_time_failed() -> None:
    found = judged("while True: pass", time_limit=1)
    assert (found.verdict, found.reason) == (
        Verdict.FAILED,
        "train.py took no step in the time that it had: give it more with --timeout",
    )


def test_a_program_that_differs_from_itself_is_judged_by_how_much() -> None:
    noisy = TOTAL.replace("y = torch", "y = time.time() % 1 * 1e-6 + torch").replace("    def", "    import time\n    def", 1)
    found = judged(noisy)
    assert found.verdict is Verdict.NOISE
    assert found.noise is not None
    assert 0 < found.noise < 1e-3
    assert judged(fixer=replacing(("lr=0.1", "lr=0.2"))).verdict is Verdict.UNEXPECTED


def test_the_fixes_of_all_files_that_are_imported_are_run_and_no_file_is_changed() -> None:
    write("", "package/__init__.py")
    write(HEADER + textwrap.dedent(TOTAL).split("model =")[0], "package/loop.py")
    write(HEADER + "from .loop import train\n" + "model =" + textwrap.dedent(TOTAL).split("model =")[1], "package/main.py")
    before = {path: path.read_text() for path in Path.cwd().rglob("*") if path.is_file()}
    found = decide(
        Trial(
            Program("package.main", module=True),
            Sources(Configuration(isolated=True), Path.cwd(), Applicability.SAFE),
            steps=5,
            time_limit=60,
        )
    )
    assert (found.verdict, found.fixes) == (Verdict.IDENTICAL, 1)
    assert [Path(each.found.path).name for each in found.findings if each.state is State.CONFIRMED] == ["loop.py"]
    assert {path: path.read_text() for path in Path.cwd().rglob("*") if path.is_file()} == before


# -- the command ---------------------------------------------------------------------------------------------------------


def test_the_command_says_the_verdict_first_and_shows_what_the_program_prints(torchlint: Torchlint) -> None:
    write(TOTAL + "    raise SystemExit(3)\n")
    found = torchlint("sanity", "run", "--isolated", "--device", "cpu", "--steps", "40", "train.py")
    assert found.status == 0
    first, second, *_ = found.out.splitlines()
    assert first == "train.py: identical"
    assert second == "  30 steps, when it ended with status 3; 2 runs; 1 file of yours imported."
    assert "train.py:13: TL102 graph-kept-in-total: confirmed (" in found.out
    assert found.err.startswith("torchlint: running train.py as it is\n1.")
    assert found.err.endswith("torchlint: running train.py with the fixes that keep it\n")


def test_the_command_leaves_the_options_after_the_script_to_the_program_and_speaks_json(torchlint: Torchlint) -> None:
    write("import sys\nprint(sys.argv)\n" + textwrap.dedent(UNCLEARED))
    found = torchlint("sanity", "run", "--isolated", "--output-format", "json", "--steps", "4", "train.py", "--steps", "9", "-m")
    assert found.status == 0
    told = json.loads(found.out)
    assert told["program"] == ["train.py", "--steps", "9", "-m"]
    assert (told["verdict"], told["original"]["steps"], told["fixed"]["steps"]) == ("changed as the repair intends", 4, 4)
    assert told["first_difference"] | {"detail": ""} == {"what": "gradients", "detail": "", "optimizer": 1, "step": 2}
    assert "['train.py', '--steps', '9', '-m']" in found.err


def test_an_unexpected_change_and_a_failure_have_their_own_status(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    write(TOTAL)
    monkeypatch.setattr(engine, "fix", lambda text, *_, **__: engine.Fixed(text.replace("0.1", "0.2"), (), ()))
    found = torchlint("sanity", "run", "--isolated", "--device", "cpu", "--steps", "2", "train.py")
    assert found.status == 1
    assert found.out.startswith(
        "train.py: changed unexpectedly\n  First difference: step 1, the parameters: Sequential.0.weight and 3 more"
    )
    write("raise ValueError('no')")
    found = torchlint("sanity", "run", "--isolated", "--device", "cpu", "train.py")
    assert found.status == 2
    assert found.out.startswith("train.py: failed: the program crashes by itself\n  Traceback (most recent call last):\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.py"], "nowhere.py: there is no such file"),
        (["--select", "TL999", "train.py"], "TL999"),
        (["--device", "mps", "train.py"], "--device mps: torch 2"),
        ([], "Missing argument 'SCRIPT'"),
    ],
)
def test_wrong_usage_is_said_before_anything_runs(arguments: list[str], said: str, torchlint: Torchlint) -> None:
    write("print('ran')")
    found = torchlint("sanity", "run", *arguments)
    assert (found.status, found.out) == (2, "")
    assert said in found.err
    assert "ran\n" not in found.err


def test_codes_and_the_other_command_do_not_meet(torchlint: Torchlint) -> None:
    assert "torchlint sanity run SCRIPT" in torchlint("sanity", "--help").out
    assert torchlint("sanity", "run", "--help").out.startswith("Usage: torchlint sanity run [OPTIONS] SCRIPT [ARGS]...")
    assert "TL999" in torchlint("sanity", "TL999").err


def test_what_the_readme_shows_is_what_its_example_gives(torchlint: Torchlint) -> None:
    root = Path(__file__).parents[1]
    _, _, shown = (root / "README.md").read_text(encoding="utf-8").partition("$ torchlint sanity run examples/train.py\n")
    write((root / "examples" / "train.py").read_text(encoding="utf-8"), "examples/train.py")
    found = torchlint("sanity", "run", "--isolated", "--device", "cpu", "examples/train.py")
    assert found.out == shown.partition("```")[0]


def test_a_process_that_starts_afresh_records_what_a_forked_one_does() -> None:
    write(TRAINING)
    forked, fresh = (launch(Program("train.py", device=device), steps=3, time_limit=60) for device in ("cpu", "cuda"))
    assert (fresh.how, fresh.steps, fresh.files) == ("stopped", 3, forked.files)
    assert fresh.events == forked.events


def test_waits_that_a_fix_does_away_with_are_counted_and_their_finding_is_confirmed() -> None:
    waiting = TOTAL.replace(
        "            optimizer.step()\n            total += loss", "            total += loss.item()\n            optimizer.step()"
    ).replace("nn.Linear(8, 1))", "nn.Linear(8, 1)).to(device)")
    found = judged("    device = 'cuda' if torch.cuda.is_available() else 'cpu'\n" + waiting, unsafe=True)
    assert found.verdict is Verdict.IDENTICAL
    assert ("TL402", "confirmed") in states(found)
    assert found.original is not None
    assert found.fixed is not None
    assert (sum(signals.waits(found.original).values()), sum(signals.waits(found.fixed).values())) == (6, 0)


def test_a_repair_that_lets_a_crashing_program_run_is_what_it_intends() -> None:
    found = judged(UNREGISTERED.replace("model.parameters()", "model"))
    assert found.original is not None
    assert found.original.how == "crashed"
    assert found.verdict is Verdict.INTENDED
    assert found.reason == "the program crashes by itself (TypeError: 'Network' object is not iterable), and goes on with its fixes"


def test_what_cuda_says_of_waiting_is_counted_where_the_user_made_it_wait_and_is_not_printed() -> None:
    write(
        """
        import warnings
        SYNCHRONISES = "called a synchronizing CUDA operation"
        warnings.simplefilter("ignore")
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(30):
            optimizer.zero_grad()
            warnings.warn(SYNCHRONISES)
            model(torch.randn(8, 4)).square().mean().backward()
            warnings.warn("nothing of the kind")
            optimizer.step()
        """
    )
    found = launch(Program("train.py", device="cuda"), steps=4, time_limit=60)
    row = next(row for row, line in enumerate(Path("train.py").read_text(encoding="utf-8").splitlines(), 1) if "warn(SYNCHRONISES" in line)
    # The program has silenced everything before its first step, but not what it is asked after that.
    assert found.counted("synchronisations") == {f"{Path.cwd() / 'train.py'}:{row}": 3}
    assert found.counted("waits") == {}
    assert found.output == ""

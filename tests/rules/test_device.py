"""What findings about devices say besides where they are: the second places, and advice that can be followed there."""

import textwrap
from pathlib import Path

import pytest

from torchlint.diagnostic import Diagnostic
from torchlint.engine import lint
from torchlint.program.project import Project
from torchlint.rule import SAFE
from torchlint.settings import Settings

TRAINING = """
import torch
from torch.nn import functional as F

def train(model, loader, optimizer, sched, device):
    total, best = 0.0, torch.tensor(1.0)
    for x, y in loader:
        x = x.to(device)
        loss = F.mse_loss(model(x), y.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        {}
    return total, best
"""


def waits(*lines: str) -> list[Diagnostic]:
    text = TRAINING.format(textwrap.indent("\n".join(lines), " " * 8).strip())
    return lint(text, Settings(select=("TL402",)), path="train.py")


def related(finding: Diagnostic) -> list[tuple[str, int]]:
    return [(each.message, each.location.row) for each in finding.related]


def test_a_wait_shows_its_loop_and_what_put_the_value_on_the_device() -> None:
    (finding,) = waits("meter.update(loss.item())")
    assert related(finding) == [("in this loop", 7), ("put on the device here", 9)]


def test_several_waits_in_a_loop_are_said_each_at_its_place_and_none_is_fixed_alone() -> None:
    findings = waits("total += loss.item()", "y = y.to(device)", "meter.update(loss.item())", "sched.step((loss * 2).item())")
    assert [(each.location.row, each.fix) for each in findings] == [(13, None), (15, None), (16, None)]


def test_reads_in_a_row_are_one_finding_at_the_first() -> None:
    (finding,) = waits("total += loss.item()", "meter.update(loss.item())", "sched.step(loss.item())")
    assert finding.location.row == 13 and related(finding)[2:] == [("waits as well", 14), ("waits as well", 15)]


def test_totals_alone_are_fixed_one_by_one() -> None:
    findings = waits("total += loss.item()")
    assert [each.fix is not None for each in findings] == [True]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("total += loss.item()", "add up on the device"),
        ("total += loss.item() / len(x)", "add up detached tensors"),
        ("best = loss if loss < best else best", ""),
        ("if loss < best: best = loss.detach()", "torch.where"),
        ("sched.step(loss.item())", "step with a value"),
        ("meter.update(loss.item())", "every so many steps"),
    ],
)
def test_the_advice_fits_the_place(line: str, words: str) -> None:
    helps = [each.help or "" for each in waits(line)]
    assert all(words in each for each in helps) and bool(helps) is bool(words)


@pytest.mark.parametrize(
    "lines",
    [
        ("torch.cuda.synchronize()", "total += loss.item()"),
        ("curve.append(loss.item())", "total += loss.item()"),
        ("if not torch.isfinite(loss): break", "total += loss.item()"),
        ("assert loss < 10", "total += loss.item()"),
        ("print(loss.item())", "total += loss.item()"),
    ],
)
def test_a_loop_that_has_to_wait_anyway_is_left_alone(lines: tuple[str, ...]) -> None:
    assert waits(*lines) == []


@pytest.mark.parametrize(
    "lines",
    [
        ("total += loss.data[0]", "best = 0.9 * best + 0.1 * loss.item()"),
        ("total += loss.data[0] * len(x)", "best = max(best, loss.data.item())"),
        ("print(loss.data[0])", "total += loss.item()"),
        ("curve.append(loss.data[0])", "y = model(x)", "total += loss.item()"),
    ],
)
def test_a_number_that_was_read_in_the_old_way_is_not_waited_for_again(lines: tuple[str, ...]) -> None:
    assert waits(*lines) == []


def test_a_wait_that_is_needed_in_one_branch_does_not_speak_for_the_others() -> None:
    findings = waits("if sched is not None:", "    curve.append(loss.item())", "total += loss.item()")
    assert [each.location.row for each in findings] == [15]


def advice(program: str) -> str:
    text = "import torch\nfrom torch import nn\nmodel = nn.DataParallel(build())\n" + program
    (finding,) = lint(text, Settings(select=("TL701",)), path="main.py")
    return finding.help or ""


def test_a_program_that_trains_is_told_what_it_lacks() -> None:
    told = advice("loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)\nmodel(x).sum().backward()\n")
    assert "torchrun" in told and "init_process_group" in told and "DistributedSampler(data)" in told and "save" not in told


def test_a_program_with_a_launch_gets_no_second_one() -> None:
    told = advice("torch.distributed.init_process_group('nccl')\nmodel(x).sum().backward()\ntorch.save(model.state_dict(), 'm.pt')\n")
    assert "torchrun" not in told and told.endswith("save on one rank only")


def test_a_program_that_distributes_already_is_pointed_to_its_branch() -> None:
    told = advice("if many:\n    model = nn.parallel.DistributedDataParallel(model)\nmodel(x).sum().backward()\n")
    assert told.startswith("the branch with `DistributedDataParallel`")


def test_a_program_that_only_predicts_gets_no_recipe() -> None:
    assert "torchrun" not in advice("model.eval()\nprint(model(x))\n")


def moved(*lines: str) -> list[bool]:
    """For each finding of TL401, whether its fix is safe."""
    text = "import contextlib\nimport torch\nfrom unittest import mock\n" + "\n".join(lines) + "\n"
    found = lint(text, Settings(select=("TL401",)), path="main.py")
    return [each.fix is not None and each.fix.applicability is SAFE for each in found]


IN_TURN = ("x = torch.zeros(2)", "x = x.to('cuda')")


def test_two_statements_about_a_plain_name_become_one_safely() -> None:
    assert moved(*IN_TURN) == [True]
    assert moved("with torch.no_grad():", *("    " + each for each in IN_TURN)) == [True]


@pytest.mark.parametrize("around", ["try:", "with contextlib.suppress(RuntimeError):", "with contextlib.ExitStack() as stack:"])
def test_they_do_not_where_the_failure_of_the_move_may_be_caught(around: str) -> None:
    handler = ("except RuntimeError:", "    pass") if around == "try:" else ()
    assert moved("x = None", around, *("    " + each for each in IN_TURN), *handler) == [False]


@pytest.mark.parametrize(
    "lines",
    [
        ("def make(self):", "    self.x = torch.zeros(2)", "    self.x = self.x.cuda()"),
        ("def make():", "    global x", *("    " + each for each in IN_TURN)),
        ("def make():", *("    " + each for each in IN_TURN), "    return lambda: x"),
    ],
)
def test_they_do_not_where_somebody_else_may_see_the_first_value(lines: tuple[str, ...]) -> None:
    assert moved(*lines) == [False]


@pytest.mark.parametrize(
    "lines",
    [
        ("torch.Tensor.cuda = lambda self: self",),
        ("torch.zeros = print",),
        ("setattr(torch.Tensor, 'cuda', lambda self: self)",),
        ("mock.patch.object(torch.Tensor, 'cuda', lambda self: self).start()",),
        ("@mock.patch('torch.Tensor.cuda')", "def test(_): ..."),
        ("def run():", "    with torch.device('meta'):", "        pass"),
    ],
)
def test_nothing_is_built_in_place_safely_where_the_program_replaces_functions_or_the_default_device(lines: tuple[str, ...]) -> None:
    assert moved("y = torch.zeros(2).cuda()") == [True]
    assert moved(*lines, "y = torch.zeros(2).cuda()") == [False]


def test_another_file_may_replace_them_as_well(tmp_path: Path) -> None:
    main, other = tmp_path / "main.py", tmp_path / "other.py"
    main.write_text("import torch\ny = torch.zeros(2).cuda()\n")
    for text, safe in (("x = 1\n", True), ("import torch\ntorch.set_default_device('meta')\n", False)):
        other.write_text(text)
        (finding,) = lint(main.read_text(), Settings(select=("TL401",)), path=str(main), project=Project([tmp_path]))
        assert finding.fix is not None and (finding.fix.applicability is SAFE) is safe


def test_a_copy_of_a_shape_is_built_in_place_safely_only_of_a_tensor_with_data() -> None:
    assert moved("def f(m: torch.Tensor):", "    return torch.zeros_like(m).to('cuda')") == [True]
    assert moved("def f(m):", "    return torch.zeros_like(m).to('cuda')") == [False]
    assert moved("m = torch.ones(2, device='meta')", "x = torch.zeros_like(m).to('cuda')") == [False]


METRICS = """
import torch


def accuracy(out, y):
    right = out.argmax(1) == y
    return right.float().mean().item()


def report(out, y):
    return build(out.cpu().numpy(), y.cpu().numpy())


def measure(model, x, y, device):
    return accuracy(model(x.to(device)), y.to(device))


def hits(out, y):
    return accuracy(out.detach()[:1], y)


def checked(loss):
    assert not torch.isnan(loss).any()
    return loss


def old_loss(out, y):
    return torch.nn.functional.mse_loss(out, y).data[0]


class Board:
    def __call__(self, step, numbers):
        for name, number in numbers.items():
            print(step, name, number)


def settle(device):
    if device.type == "cuda":
        torch.cuda.synchronize()
"""


def waits_beside(folder: Path, *lines: str) -> list[Diagnostic]:
    """The waits of a training that imports its metrics from another file."""
    (folder / "metrics.py").write_text(METRICS)
    text = "from metrics import Board, accuracy, checked, hits, measure, old_loss, report, settle\n" + TRAINING.format(
        textwrap.indent("\n".join(lines), " " * 8).strip()
    )
    (folder / "train.py").write_text(text)
    path = str(folder / "train.py")
    return lint(text, Settings(select=("TL402",)), path=path, project=Project([folder]))


def test_a_wait_in_a_function_of_another_file_is_said_where_the_loop_calls_it(tmp_path: Path) -> None:
    (finding,) = waits_beside(tmp_path, "y = y.to(device)", "meter.update(accuracy(model(x), y))")
    assert finding.location.row == 15 and "`accuracy`" in (finding.help or "") and finding.fix is None
    assert ("this waits", 7) in related(finding)


def test_a_wait_behind_two_calls_is_found(tmp_path: Path) -> None:
    (finding,) = waits_beside(tmp_path, "y = y.to(device)", "meter.update(hits(model(x), y))")
    assert finding.location.row == 15 and ("this waits", 7) in related(finding)


@pytest.mark.parametrize(
    "lines",
    [
        ("print(accuracy(model(x), y.to(device)))",),
        ("total += loss.item()", "report(model(x), y.to(device))"),
        ("total += loss.item()", "checked(loss)"),
        ("total += loss.item()", "settle(device)"),
        ("Board()(0, {'loss': loss.item()})",),
        ("meter.update(old_loss(model(x), y.to(device)))",),
        ("accuracy(model(x).cpu(), y)", "curve.append(loss.item())"),
        ("if sched.step % 10 == 0:", "    meter.update(accuracy(model(x), y.to(device)))"),
    ],
)
def test_a_wait_elsewhere_that_is_shown_needed_or_rare_is_left_alone(tmp_path: Path, lines: tuple[str, ...]) -> None:
    assert waits_beside(tmp_path, *lines) == []


def test_reads_with_nothing_but_numbers_in_between_are_in_a_row() -> None:
    (finding,) = waits("total += loss.item()", "seen = x.size(0)", "meter.update(loss.item(), seen)")
    assert finding.location.row == 13 and ("waits as well", 15) in related(finding)


def test_a_function_of_another_file_that_moves_what_it_waits_for_is_followed(tmp_path: Path) -> None:
    (finding,) = waits_beside(tmp_path, "meter.update(measure(model, x, y, device))")
    assert finding.location.row == 14 and ("this waits", 7) in related(finding)


def test_calls_in_a_row_that_wait_inside_are_one_finding(tmp_path: Path) -> None:
    (finding,) = waits_beside(tmp_path, "y = y.to(device)", "out = model(x)", "total += accuracy(out, y)", "best = max(best, hits(out, y))")
    assert finding.location.row == 16 and ("waits as well", 17) in related(finding)


def test_two_waits_that_could_both_go_are_both_said(tmp_path: Path) -> None:
    findings = waits_beside(tmp_path, "y = y.to(device)", "total += loss.item()", "meter.update(accuracy(model(x), y))")
    assert [(each.location.row, each.fix) for each in findings] == [(15, None), (16, None)]


def test_a_read_right_after_a_call_that_waits_belongs_to_it(tmp_path: Path) -> None:
    (finding,) = waits_beside(tmp_path, "y = y.to(device)", "meter.update(accuracy(model(x), y))", "total += loss.item()")
    assert finding.location.row == 15 and ("waits as well", 16) in related(finding)


def test_no_device_is_asked_of_constructors_in_a_program_for_an_older_torch(tmp_path: Path) -> None:
    """The layer shows no age; a training that imports it does."""
    (tmp_path / "parts").mkdir()
    layer, training = tmp_path / "parts" / "layer.py", tmp_path / "train.py"
    body = "import torch\n\n\ndef start(x):\n    return x + torch.zeros(4).{}\n"
    step = "from parts import layer\n\n\ndef step(net, x):\n    loss = net(layer.start(x))\n    return {}\n"

    def found(move: str, read: str, importing: bool = True) -> int:
        layer.write_text(body.format(move))
        text = step.format(read)
        training.write_text(text if importing else text.partition("\n")[2])
        return len(lint(layer.read_text(), Settings(select=("TL401",)), path=str(layer), project=Project([tmp_path])))

    assert found("cuda()", "loss.data[0]") == 0
    assert found("cuda()", "loss.item()") == 1
    assert found("cuda()", "loss.data[0]", importing=False) == 1
    assert found("to('cuda')", "loss.data[0]") == 1
    assert found("cuda()", "net(Variable(x, volatile=True))") == 0
    assert found("cuda()", "net(Variable(x, volatile=True)), loss.item()") == 1


PASS = """
import torch
from torch.nn import functional as F

def train(model, other, loader, criterion, optimizer, device):
    total, hits = 0.0, 0.0
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        out = model(x)
        loss = criterion(out, y)
        total += loss.item()
        {}
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return total, hits
"""


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        (("_, guesses = torch.max(out, 1)", "hit = (guesses == y).sum()", "hits += hit.item()"), [11]),
        (("hits += (out.argmax(1) == y).float().mean().item()",), [11]),
        (("guesses = other(x)", "hits += (guesses == y).sum().item()"), [11, 13]),
        (("F.mse_loss(out, y).backward()", "hits += out.mean().item()"), [11, 13]),
    ],
)
def test_a_second_wait_for_the_same_pass_is_told_to_who_asks(lines: tuple[str, ...], rows: list[int]) -> None:
    text = PASS.format(textwrap.indent("\n".join(lines), " " * 8).strip())
    found = lint(text, path="train.py")

    assert [each.location.row for each in found if each.code == "TL402"] == rows
